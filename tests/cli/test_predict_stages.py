"""``predict --classifier``: masks first, then a bundle that sees image and mask. The classifier here is a few lines of JSON."""

import importlib
import json
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

Program = Callable[..., Result]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "write-a-classifier-bundle.md"

INFERENCE = {
    "imports": ["$import fake_classifier"],
    "output_dir": "predictions",
    "dataset_dir": None,
    "masks": None,
    "explain": False,
    "batch_size": 1,
    "dataset": {"data": []},
    "predicting": ["$fake_classifier.classify(@dataset#data, @masks, @output_dir, @explain)"],
    "run": "%predicting",
}
MODULE = """
import json
from pathlib import Path

from monai_tumor.bundles import finish_prediction
from monai_tumor.imaging.read import read_mask


def classify(items, masks, output_dir, explain):
    Path(output_dir).mkdir(parents=True)
    found = []
    for item in items:
        shape = list(read_mask(Path(masks) / f"{item['name']}_mask.png").shape)
        found.append({"image": item["name"], "shape": shape, "explained": explain})
        if item["name"] == "odd":
            found[-1] = {"image": "odd", "error": "odd cannot be told"}
    found = [entry for entry in found if entry["image"] != "forgotten"]
    (Path(output_dir) / "predictions.json").write_text(json.dumps(found))
    finish_prediction(output_dir)


def write(output_dir, text):
    if text is not None:
        Path(output_dir).mkdir(parents=True)
        (Path(output_dir) / "predictions.json").write_text(text)
"""


def write_run(folder: Path, inference: dict[str, Any]) -> Path:
    for name, text in (("configs/inference.json", json.dumps(inference)), ("models/model.pt", "")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A trained classifier bundle that says how large the mask is that it was given."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "fake_classifier.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path / "site")
    importlib.invalidate_caches()
    yield write_run(tmp_path / "classifier", INFERENCE)
    sys.modules.pop("fake_classifier", None)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Two images of unequal sizes, one of them in a folder of its own."""
    folder = tmp_path / "scans"
    (folder / "left").mkdir(parents=True)
    Image.new("L", (70, 40), 90).save(folder / "left" / "a.png")
    Image.new("L", (50, 60), 90).save(folder / "b.png")
    return folder


@pytest.fixture
def predict(trained: Any, classifier: Path, scans: Path, program: Program, tmp_path: Path) -> Program:
    """Predict the scans in both stages into ``masks``, with further options."""

    def call(*words: object, inputs: Any = None) -> Result:
        given = [scans] if inputs is None else inputs
        both = ("--bundle", trained.run, "--classifier", classifier)
        return program("predict", *given, *both, "--output", tmp_path / "masks", *words)

    return call


def test_the_classifier_gets_the_masks_of_the_first_stage(predict: Program, tmp_path: Path) -> None:
    result = predict("--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["predicted"], told["failed"]) == (2, 0)
    entries = {entry["image"]: entry for entry in told["images"]}
    assert entries["left/a"]["diagnosis"] == {"shape": [40, 70], "explained": False}
    assert entries["b"]["diagnosis"]["shape"] == [60, 50] and entries["b"]["mask"] == "b_mask.png"
    first = json.loads((tmp_path / "masks" / "predictions.json").read_text())
    assert [{key: entry[key] for key in entry if key != "diagnosis"} for entry in told["images"]] == first
    assert len(json.loads((tmp_path / "masks" / "diagnosis" / "predictions.json").read_text())) == 2


def test_the_classifier_explains_when_asked(predict: Program) -> None:
    told = json.loads(predict("--explain", "--json").stdout)
    assert all(entry["diagnosis"]["explained"] for entry in told["images"])


def test_what_the_first_stage_failed_on_is_not_classified(predict: Program, scans: Path, tmp_path: Path) -> None:
    (scans / "broken.png").write_bytes(b"not an image")
    result = predict("--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["predicted"], told["failed"]) == (2, 1)
    [broken] = [entry for entry in told["images"] if "error" in entry]
    assert broken["image"] == "broken" and "diagnosis" not in broken
    classified = json.loads((tmp_path / "masks" / "diagnosis" / "predictions.json").read_text())
    assert {entry["image"] for entry in classified} == {"left/a", "b"}


@pytest.mark.parametrize(("name", "told"), [("odd", "odd cannot be told"), ("forgotten", "has no entry about this")])
def test_what_the_classifier_failed_on_counts_as_failed(predict: Program, scans: Path, name: str, told: str) -> None:
    shutil.copy(scans / "b.png", scans / f"{name}.png")
    result = predict("--json")
    images = {entry["image"]: entry for entry in json.loads(result.stdout)["images"]}
    assert result.exit_code == 1 and "error" not in images[name]
    assert told in images[name]["diagnosis"]["error"] and "error" not in images["b"]["diagnosis"]


def test_where_no_image_is_left_nothing_is_classified(predict: Program, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"not an image")
    result = predict("--json", inputs=[tmp_path / "broken.png"])
    assert result.exit_code == 1 and "no image is left for" in result.stderr
    assert json.loads(result.stdout)["failed"] == 1 and not (tmp_path / "masks" / "diagnosis").exists()


def test_names_that_monai_would_take_for_expressions_are_classified(
    predict: Program, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(scans / "b.png", scans / "$c.png")
    monkeypatch.chdir(scans)
    result = predict("--output", "$out", "--json", inputs=["$c.png"])
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["images"][0]["diagnosis"]["shape"] == [60, 50]
    assert (scans / "$out" / "diagnosis" / "predictions.json").is_file()


def test_both_plain_commands_are_shown(predict: Program, scans: Path, tmp_path: Path) -> None:
    shown = predict("--explain", "--set", "batch_size=2", "--classifier-set", "batch_size=3", "--show-command")
    first, second = map(shlex.split, shown.stdout.splitlines())
    masks = tmp_path / "masks"
    places = ["--output_dir", str(masks), "--dataset_dir", str(scans)]
    assert first[7:] == [*places, "--formats", "png", "--batch_size", "2"]
    assert second[4:7] == ["predicting", "--config_file", str(tmp_path / "classifier" / "configs" / "inference.json")]
    own = ["--output_dir", str(masks / "diagnosis"), "--masks", str(masks), "--dataset_dir", str(scans)]
    assert second[7:] == [*own, "--explain", "True", "--batch_size", "3"]
    assert not masks.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--bundle", "RUN", "--explain"], "--explain is for a classifier; give --classifier RUN as well"),
        (["--bundle", "RUN", "--classifier-set", "explain=true"], "--classifier-set is for a classifier"),
        (["--bundle", "RUN", "--classifier", "RUN"], "is no classifier: its inference.json has no setting 'masks'"),
        (["--bundle", "CLASSIFIER", "--classifier", "RUN"], "exchange --bundle and --classifier"),
        (["--bundle", "CLASSIFIER", "--classifier", "CLASSIFIER"], "give a segmentation run to --bundle"),
        (["--bundle", "RUN", "--classifier", "SILENT", "--explain"], "has no setting 'explain'; leave --explain out"),
        (["--bundle", "RUN", "--classifier", "brain"], "brain has no trained weights"),
        (["--bundle", "RUN", "--classifier", "CLASSIFIER", "--classifier-set", "mask=x"], "did you mean 'masks'?"),
        (["--bundle", "RUN", "--classifier", "CLASSIFIER", "--classifier-set", "masks=x"], "'masks' is given twice"),
        (["--bundle", "RUN", "--classifier", "CLASSIFIER", "--output", "OLD"], "diagnosis holds a prediction already"),
    ],
)
def test_mistakes_are_one_line_before_anything_is_predicted(
    trained: Any, classifier: Path, scans: Path, program: Program, tmp_path: Path, words: list[str], told: str
) -> None:
    silent = {key: value for key, value in INFERENCE.items() if key not in ("explain", "predicting", "run")}
    (tmp_path / "old" / "diagnosis").mkdir(parents=True)
    (tmp_path / "old" / "diagnosis" / "predictions.json").write_text("[]")
    places = {
        "RUN": trained.run,
        "CLASSIFIER": classifier,
        "SILENT": write_run(tmp_path / "silent", silent),
        "OLD": tmp_path / "old",
    }
    result = program("predict", scans, "--output", tmp_path / "masks", *[places.get(word, word) for word in words])
    assert result.exit_code == 2 and result.stderr.count("\n") == 1 and told in result.stderr
    assert not (tmp_path / "masks").exists() and not (tmp_path / "old" / "predictions.json").exists()


@pytest.mark.parametrize(
    ("written", "told"), [('{"a": 1}', "is no list of objects with 'image'"), (None, "that can be read")]
)
def test_a_classifier_that_breaks_the_contract_is_named(
    predict: Program, classifier: Path, tmp_path: Path, written: str | None, told: str
) -> None:
    """The masks stay: the first stage has done its work."""
    call = "$fake_classifier.write(@output_dir, @written)"
    write_run(classifier, {**INFERENCE, "written": written, "predicting": [call]})
    result = predict()
    assert result.exit_code == 2 and told in result.stderr.splitlines()[-1]
    assert (tmp_path / "masks" / "b_mask.png").is_file()


def test_the_example_of_the_page_works(
    predict: Program, classifier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    inference, module = (page.split(f"```{language}\n")[1].split("```")[0] for language in ("json", "python"))
    (tmp_path / "site" / "lesion_share.py").write_text(module)
    monkeypatch.delitem(sys.modules, "lesion_share", raising=False)
    importlib.invalidate_caches()
    write_run(classifier, json.loads(inference))
    result = predict("--json")
    assert result.exit_code == 0, result.stderr
    for entry in json.loads(result.stdout)["images"]:
        assert entry["diagnosis"]["share"] == pytest.approx(entry["lesion_px"] / (entry["rows"] * entry["columns"]))
