"""``monai-tumor diagnosis compare``: both stages on phantoms, the same line again, and wrong calls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monai_tumor.cli.main import main
from monai_tumor.splits.split import read_split

SMALL = ("backbone=two_stage_cnn", "prepare#rows=64", "prepare#columns=64", "precision=fp32")
STAGE_ONE = ("prepare#rows=64", "prepare#columns=64", "precision=fp32")


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def words_of(out: Path) -> list[object]:
    settings = [word for one in SMALL for word in ("--set", one)]
    settings += [word for one in STAGE_ONE for word in ("--mask-set", one)]
    budget = ["--mask-epochs", 1, "--epochs", 1]
    return ["diagnosis", "compare", "--dataset", "phantom_us", "--folds", 4, *budget, *settings, "-o", out]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--ways", "mask-only"], "unknown way 'mask-only'"),
        (["--minutes", 1], "give either --minutes or --epochs"),
        (["--sensitivity", 1.5], "--sensitivity 1.5: expected above 0 and up to 1"),
        (["--set", 'classes=["benign", "malignant"]'], "the comparison decides this itself"),
    ],
)
def test_a_wrong_call_is_one_line_and_leaves_nothing(words, told, tmp_path):
    result = call(*words_of(tmp_path / "out"), *words)
    assert result.exit_code == 2 and told in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_both_stages_are_trained_once_and_the_ways_are_bundles(tmp_path):
    out = tmp_path / "out"
    words = [*words_of(out), "--ways", "image-only,predicted-mask", "--json"]
    first = call(*words)
    assert first.exit_code == 0, first.stderr
    found = json.loads(first.stdout)
    assert set(found["ways"]) == {"image-only", "predicted-mask"} and found["cases"] == 120
    split = read_split(out / "split.json")
    for fold in range(4):
        assert len(list((out / "masks" / f"fold-{fold}").glob("*.png"))) == len(split.cases)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.pt")}
    again = call(*words)
    assert json.loads(again.stdout) == found
    assert times == {path: path.stat().st_mtime_ns for path in out.rglob("*.pt")}
    point = json.loads((out / "predicted-mask" / "operating_point.json").read_text())
    assert point["chosen_on"].startswith("out-of-fold cases")
    assert call("bundle", "check", out / "predicted-mask").exit_code == 0
