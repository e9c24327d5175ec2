"""Nothing of the patients leaves, the same run gives the same bytes, and every tool of MONAI takes what was packed."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_tumor.audit.division import divide
from monai_tumor.bundles.find import bundle_folder, config_file
from monai_tumor.bundles.install import install_bundle
from monai_tumor.bundles.launch import run_bundle
from monai_tumor.bundles.pack import pack_bundle
from monai_tumor.bundles.schema import SCHEMA
from monai_tumor.datasets import open_dataset
from monai_tumor.datasets.case_table import case_table
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import ToolkitError, WrongCallError
from monai_tumor.folds.join import join_folds
from monai_tumor.splits.split import read_split, write_split

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file")
SECRET = "Mustermann4711"


@pytest.fixture(scope="module")
def secret_run(train_brain, tmp_path_factory) -> Path:
    """A run in which a name stands wherever one can: folders, files, ids, groups, labels, and by hand all over it."""
    place = tmp_path_factory.mktemp(SECRET)
    scans, run = place / f"scans of {SECRET}", place / f"run-{SECRET}"
    PhantomDataset(count=16, style="us", size=(64, 80)).write(scans, "folder")
    _name_everything(scans)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("USER", "LOGNAME", "HOME", "HOSTNAME"):
            patch.setenv(name, f"/home/{SECRET}")
        patch.setattr("sys.argv", ["monai-tumor", "train", f"--dataset-dir={scans}", f"--set=x={SECRET}"])
        train_brain(run, dataset_name="folder", dataset_dir=str(scans), recipe=SECRET)
        for part in ("validation", "test"):
            files = [config_file(run, "train"), config_file(run, "evaluate")]
            run_bundle("evaluating", files, {"dataset_dir": str(scans), "part": part})
    _plant(run)
    return run


def _name_everything(scans: Path) -> None:
    cases = open_dataset("folder").cases(scans)
    rows = []
    for place, case in enumerate(cases):
        masks = ";".join(str(Path(mask).relative_to(scans)) for mask in case.masks)
        image = Path(case.image).relative_to(scans)
        rows.append((f"{SECRET}-{place}", str(image), masks, f"{SECRET} {place % 2}", f"of {SECRET} {place}"))
    (scans / "cases.csv").write_text(case_table(rows))


def _plant(run: Path) -> None:
    """Write the name into everything that somebody might have changed by hand."""
    for path in [run / "run.json", *run.glob("operating_point*.json"), *run.glob("evaluation/*/*.json")]:
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "remark": SECRET, "of": [SECRET], "more": {"by": {"whom": SECRET}}}))
    (run / "docs" / "README.md").write_text(f"# {SECRET}")
    (run / "docs" / f"{SECRET}.md").write_text("x")
    (run / "configs" / f"{SECRET}.json").write_text("{}")
    (run / "models" / f"{SECRET}.txt").write_text("x")
    shutil.copytree(run / "evaluation" / "002-test", run / "evaluation" / SECRET)
    split = read_split(run / "split.json")
    first = next(iter(split.cases))
    aside = {**split.cases, first: replace(split.cases[first], part="quarantine", reason=f"as {SECRET}")}
    write_split(run / "split.json", replace(split, cases=aside, dropped={f"{SECRET}-x": SECRET}), overwrite=True)


def everything(content: bytes, name: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield names and bytes of an archive, and of every archive in it, unpacked."""
    yield name, content
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield f"{name} comment", archive.comment
            for member in archive.infolist():
                yield f"{name} about {member.filename}", member.extra + member.comment
                yield from everything(archive.read(member), f"{name}/{member.filename}")


def places_of(secret: str, path: Path) -> list[str]:
    forms = [secret.lower().encode(code) for code in ("utf-8", "utf-16-le", "utf-32-le")]
    found = everything(path.read_bytes())
    return [name for name, data in found if secret in name or any(form in data.lower() for form in forms)]


def test_a_name_that_stands_everywhere_in_a_run_is_in_no_byte_of_the_packed_one(secret_run, tmp_path):
    packed = pack_bundle(secret_run, tmp_path / "tumour.zip")
    assert places_of(SECRET, packed.path) == []
    assert places_of("mustermann", packed.path) == []
    with zipfile.ZipFile(packed.path) as archive:
        kept = {name.partition("/")[2] for name in archive.namelist()}
    figures = {"evaluation/001-validation/metrics.json", "evaluation/002-test/metrics.json"}
    assert figures | {"models/model.pt", "operating_point.json", "run.json", "split.json", "docs/README.md"} <= kept
    assert not any(name.endswith((".csv", ".png", ".html", "checkpoint.pt")) for name in kept)


def test_the_search_of_these_tests_finds_the_name_with_cases(secret_run, tmp_path):
    packed = pack_bundle(secret_run, tmp_path / "tumour.zip", with_cases=True)
    found = {name.removeprefix("/tumour/") for name in places_of(SECRET, packed.path)[1:]}
    tables = {f"evaluation/{name}/cases.csv" for name in ("001-validation", "002-test")}
    assert {"split.json", *tables} <= found
    with zipfile.ZipFile(packed.path) as archive:
        assert not any(name.endswith((".png", ".html", ".npz")) for name in archive.namelist())


def test_the_same_run_gives_the_same_bytes(trained_run, packed, tmp_path):
    again = pack_bundle(shutil.copytree(trained_run, tmp_path / "elsewhere"), tmp_path / "tumour.zip")
    assert (again.sha256, again.path.read_bytes()) == (packed.sha256, packed.path.read_bytes())
    assert [path.name for path in packed.path.parent.iterdir()] == ["tumour.zip"]


def test_the_users_own_words_are_told(packed):
    told = [str(change) for change in packed.changes if change.is_own_text]
    assert 'train.json: network_def#name = "monai_unet"' in told


def test_nothing_is_overwritten_and_names_are_those_of_bundles(trained_run, tmp_path):
    (tmp_path / "a.zip").write_text("mine")
    with pytest.raises(WrongCallError, match="exists already"):
        pack_bundle(trained_run, tmp_path / "a.zip")
    for name in ("a.tar", "a b.zip", ".zip"):
        with pytest.raises(WrongCallError, match=r"give NAME\.zip"):
            pack_bundle(trained_run, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_what_is_no_finished_run_is_refused(trained_run, brain, tmp_path):
    with pytest.raises(WrongCallError, match="is no trained run"):
        pack_bundle(brain, tmp_path / "a.zip")
    run = shutil.copytree(trained_run, tmp_path / "run")
    (run / "run.json").write_text(json.dumps({"status": "running", "settings": {}}))
    with pytest.raises(WrongCallError, match="is being trained, or was killed"):
        pack_bundle(run, tmp_path / "a.zip")


def test_a_run_that_monai_would_not_take_is_not_packed(trained_run, tmp_path):
    run = shutil.copytree(trained_run, tmp_path / "run")
    metadata = json.loads((run / "configs" / "metadata.json").read_text())
    metadata["network_data_format"]["outputs"]["pred"]["num_channels"] = "one"
    (run / "configs" / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(ToolkitError, match="pred#num_channels: 'one' is not of type 'integer'"):
        pack_bundle(run, tmp_path / "a.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def fold_set(train_bundle, folder: Path) -> Path:
    """Train three folds of the breast bundle on twelve phantoms and join them."""
    scans, path = folder / "scans", folder / "set"
    PhantomDataset(count=12, style="us", size=(64, 80)).write(scans, "folder")
    dataset = open_dataset("folder")
    split = divide(dataset, dataset.cases(scans), folds=3)
    write_split(path / "split.json", split)
    data = {"dataset_name": "folder", "dataset_dir": str(scans), "split_file": str(path / "split.json")}
    runs = [train_bundle(bundle_folder("breast"), path / f"fold-{fold}", fold=fold, **data) for fold in range(3)]
    join_folds(path, runs, split)
    return path


@pytest.fixture(scope="module", params=["brain", "breast", "thyroid", "folds"])
def pair(request, train_bundle, tmp_path_factory) -> tuple[Path, Path]:
    """A run of each kind, and its packed and installed twin."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "folds":
        run = fold_set(train_bundle, folder)
    else:
        run = train_bundle(bundle_folder(request.param), folder / "run")
    packed = pack_bundle(run, folder / "packed.zip")
    return run, install_bundle(packed.path, packed.sha256, folder / "installed")


def test_an_installed_bundle_predicts_what_the_run_predicts(pair, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for name, shape in (("wide", (50, 90)), ("high", (70, 41))):
        Image.fromarray(np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)).save(images / f"{name}.png")
    for root, output in zip(pair, ("run", "installed"), strict=True):
        settings = {"dataset_dir": str(images), "output_dir": str(tmp_path / output)}
        run_bundle("predicting", [config_file(root, "inference")], settings)
    files = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "installed").iterdir()) and len(files) == 5
    for name in files:
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "installed" / name).read_bytes()


def test_monais_own_checks_take_an_installed_bundle_offline(pair):
    from monai.bundle import create_workflow, verify_metadata, verify_net_in_out

    configs = pair[1] / "configs"
    verify_metadata(meta_file=str(configs / "metadata.json"), filepath=str(SCHEMA))
    files = {"meta_file": str(configs / "metadata.json"), "config_file": str(configs / "inference.json")}
    verify_net_in_out(net_id="network_def", **files, device="cpu", n=2, p=2, any=64)
    workflow = create_workflow(config_file=files["config_file"], workflow_type="infer")
    assert workflow.check_properties() == []


def test_monai_loads_an_installed_bundle_with_its_weights(pair):
    import torch
    from monai.bundle import load

    network = load("packed", bundle_dir=str(pair[1].parent), source="github", workflow_type="train")
    weights = torch.load(pair[0] / "models" / "model.pt", weights_only=True)
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())


def test_an_installed_bundle_is_evaluated_as_the_run_is(trained_run, packed, tmp_path):
    """On the same phantoms, divided by the same seed: its own split names no case."""
    run = shutil.copytree(trained_run, tmp_path / "run")
    twin = install_bundle(packed.path, packed.sha256, tmp_path)
    for root in (run, twin):
        run_bundle("evaluating", [config_file(root, "train"), config_file(root, "evaluate")], {})
    tables = [(root / "evaluation" / "001-test" / "cases.csv").read_bytes() for root in (run, twin)]
    assert tables[0] == tables[1] and tables[0].count(b"\n") == 13


def test_a_federation_trains_and_evaluates_an_installed_bundle(packed, tmp_path, monkeypatch):
    from monai.fl.client import MonaiAlgo
    from monai.fl.utils.exchange_object import ExchangeObject

    monkeypatch.chdir(tmp_path)
    algo = MonaiAlgo(bundle_root=str(install_bundle(packed.path, packed.sha256, tmp_path)), local_epochs=1)
    algo.initialize()
    start = {name: value.clone() for name, value in algo.trainer.network.state_dict().items()}
    algo.train(ExchangeObject(weights=start))
    assert algo.get_weights().weights.keys() == start.keys()
    algo.evaluate(ExchangeObject(weights=start))
    algo.finalize()


def test_monai_reads_configurations_out_of_the_packed_file(packed):
    from monai.bundle import load_bundle_config

    parser = load_bundle_config(str(packed.path), "train.json")
    assert parser["bundle_root"] == "$bundles.find_root('brain')"
    assert parser["_meta_"]["bundle"] == "brain"
