"""What comes from elsewhere is looked at before it is believed, and what is refused leaves nothing behind."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

import pytest

from monai_tumor.bundles.find import resolve
from monai_tumor.bundles.install import install_bundle
from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError

CODE = "$__import__('os').system('touch owned')"


def refusal(given) -> str:
    """Install, and return the one line of the refusal, which left nothing."""
    with pytest.raises(WrongDataError) as caught:
        install_bundle(**given)
    assert "\n" not in str(caught.value)
    assert not list(given["to"].iterdir())
    assert not Path("owned").exists()
    return str(caught.value)


def settings(packed, part: str) -> dict:
    with zipfile.ZipFile(packed.path) as archive:
        return json.loads(archive.read(f"tumour/configs/{part}.json"))


def test_an_installed_bundle_is_the_folder_that_was_packed(packed, tmp_path):
    folder = install_bundle(packed.path, packed.sha256.upper(), tmp_path)
    assert folder == tmp_path / "tumour" == resolve(str(folder))
    with zipfile.ZipFile(packed.path) as archive:
        for name in archive.namelist():
            assert (tmp_path / name).read_bytes() == archive.read(name)
    assert [path.name for path in tmp_path.iterdir()] == ["tumour"]


def test_another_digest_is_refused(packed, tmp_path):
    with pytest.raises(WrongCallError, match=f"has the sha256 {packed.sha256}, not 0000"):
        install_bundle(packed.path, "0" * 64, tmp_path)
    with pytest.raises(WrongCallError, match="expected the 64 hexadecimal digits"):
        install_bundle(packed.path, packed.sha256[:12], tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(packed, tmp_path):
    (tmp_path / "tumour").mkdir()
    with pytest.raises(WrongCallError, match="exists already and nothing is overwritten"):
        install_bundle(packed.path, packed.sha256, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["tumour"]


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("member", "content", "reason"),
    [
        ("../outside.txt", b"x", "leads elsewhere"),
        ("/outside.txt", b"x", "leads elsewhere"),
        ("tumour/docs\\outside.txt", b"x", "leads elsewhere"),
        (link("tumour/docs/link.md"), b"/etc/passwd", "is a link or a device"),
        ("tumour/models/bomb.npz", bytes(64 << 20), "is compressed more than 100 times"),
        ("other/configs/train.json", b"{}", "expected one folder in it"),
        ("loose.txt", b"x", "expected one folder in it"),
        ("tumour/models/model.pt", None, "has no tumour/models/model.pt"),
        ("tumour/models/model.pt", b"no weights", "cannot be read"),
        ("tumour/models/more.npz", b"no arrays", "holds no plain arrays"),
        ("tumour/configs/inference.json", None, "has no inference.json"),
        ("tumour/configs/metadata.json", b"{}", "metadata.json: version: is missing"),
    ],
)
@pytest.mark.parametrize("trust", [False, True])
def test_a_dangerous_or_damaged_archive_is_refused_even_when_trusted(tampered, member, content, reason, trust):
    assert reason in refusal(tampered({member: content}, trust=trust))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("scripts/helper.py", b"import os"),
        ("configs/more.json", b"{}"),
        ("evaluation/001-test/report.html", b"<script>"),
        ("evaluation.py", b""),
    ],
)
def test_a_file_that_no_run_has_needs_trust(tampered, tmp_path, name, content):
    assert f"holds {name}, which no packed run has" in refusal(tampered({f"tumour/{name}": content}))
    assert install_bundle(**tampered({f"tumour/{name}": content}, trust=True)).is_dir()


@pytest.mark.parametrize(
    ("part", "key", "value", "told"),
    [
        ("train", "lr", CODE, "lr = "),
        ("train", "harmless", {"_target_": "os.system", "command": "touch owned"}, "harmless#_target_ = "),
        ("train", "optimizer::_target_", "os.system", "optimizer#_target_ = "),
        ("train", "+imports", ["$import os as harmless"], "+imports#0 = "),
        ("train", "loss", "%elsewhere.json#loss", "loss = "),
        ("train", "loss", "@network", "loss = "),
        ("train", "cache_dir", "elsewhere", "cache_dir = "),
        ("train", "encoder", "../../weights.pt", "encoder = "),
        ("train", "initialize", [], "initialize = []"),
        ("inference", "threshold", f" {CODE}", "threshold = "),
        ("inference", "handlers", [], "handlers#0#_target_ = null"),
        ("evaluate", "part", "training", "part = "),
        ("multi_gpu_train", "device", CODE, "device = "),
        ("metadata", "task", CODE, "task = "),
        ("metadata", "more", {"_target_": "os.system"}, "more#_target_ = "),
    ],
)
def test_code_that_is_not_installed_needs_trust(packed, tampered, part, key, value, told):
    content = json.dumps({**settings(packed, part), key: value}).encode()
    member = f"tumour/configs/{part}.json"
    message = refusal(tampered({member: content}))
    assert f"a program that is not installed here: {part}.json: {told}" in message and "--trust" in message
    assert install_bundle(**tampered({member: content}, trust=True)).is_dir()


def test_a_hidden_second_value_of_one_id_is_seen(packed, tampered):
    """MONAI lets a later ``a#b`` replace what stands in ``a``; the order must not hide either of them."""
    content = settings(packed, "train")
    target, content["loss"]["_target_"] = content["loss"]["_target_"], "os.system"
    content["loss#_target_"] = target
    assert "loss#_target_" in refusal(tampered({"tumour/configs/train.json": json.dumps(content).encode()}))


def test_numbers_and_words_may_be_others(packed, tampered):
    train = {**settings(packed, "train"), "lr": 0.5, "precision": "bf16", "minutes": None}
    inference = {**settings(packed, "inference"), "threshold": 0.3}
    changed = {"train": train, "inference": inference}
    given = tampered({f"tumour/configs/{part}.json": json.dumps(value).encode() for part, value in changed.items()})
    assert install_bundle(**given).is_dir()


def test_a_bundle_that_is_not_installed_needs_trust(packed, tampered):
    content = json.dumps({**settings(packed, "metadata"), "bundle": "stranger"}).encode()
    assert "cannot be compared with an installed bundle (unknown bundle 'stranger'" in refusal(
        tampered({"tumour/configs/metadata.json": content})
    )


def test_a_packed_file_is_not_taken_for_a_run(packed):
    with pytest.raises(ToolkitError, match=r"is a packed bundle; first: monai-tumor bundle install .*tumour.zip"):
        resolve(str(packed.path))
