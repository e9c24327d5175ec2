"""The tests of all folds together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from monai_tumor.errors import WrongCallError
from monai_tumor.evaluation.evaluated_case import write_case
from monai_tumor.evaluation.folder import EvaluationFolder, read_cases
from monai_tumor.evaluation.parts import point_for
from monai_tumor.evaluation.pool import finished_test, fold_runs, pool_folds
from monai_tumor.evaluation.scoring import evaluate_case
from monai_tumor.imaging.write import write_mask
from monai_tumor.inference.operating_point import PER_FOLD, OperatingPoint, weights_digest
from monai_tumor.metrics.calibration import fit_temperature, measure_calibration
from monai_tumor.metrics.logits import pixel_logits

HALF = OperatingPoint()
SHAPE = (12, 17)


def sure_by(temperature: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities whose logits are too large by a factor, and a reference drawn from the true ones."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, SHAPE)
    reference = random.random(SHAPE) < 1 / (1 + np.exp(-logits))
    return (1 / (1 + np.exp(-temperature * logits))).astype(np.float32), reference


def fold(root: Path, number: int, point: OperatingPoint = HALF, tta: bool = False) -> Path:
    """Write the finished test of a fold: three cases, probabilities twice too sure."""
    run = root / f"fold-{number}"
    (run / "models").mkdir(parents=True, exist_ok=True)
    (run / "models" / "model.pt").write_bytes(b"%d" % number)
    asked = {"threshold": point.threshold, "smallest_area": point.smallest_area, "chosen_on": point.chosen_on}
    folder = EvaluationFolder(run, {"part": "test", "weights_sha256": weights_digest(run), "tta": tta, **asked})
    folder.open()
    for place in range(3):
        name = f"f{number}/{place}"
        probability, reference = sure_by(2.0, 10 * number + place)
        case, mask = evaluate_case(name, name, probability[None], reference, point)
        write_mask(folder.mask_file(name), mask)
        write_case(folder.case_file(name), case)
    (folder.path / "metrics.json").write_text("{}")
    folder.close()
    return run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "run.json").write_text(json.dumps({"folds": 3}))
    for number in range(3):
        fold(tmp_path, number)
    return tmp_path


def pooled_in(root: Path) -> EvaluationFolder:
    folder = EvaluationFolder(root, {"part": "out_of_fold"})
    folder.open()
    return folder


def test_every_case_of_every_fold_is_there_once_with_its_mask(root: Path) -> None:
    folder = pooled_in(root)
    pool_folds(root, folder, False, HALF)
    assert [case.id for case in read_cases(folder.path)] == [f"f{k}/{n}" for k in range(3) for n in range(3)]
    assert all(folder.mask_file(case.id).is_file() for case in read_cases(folder.path))


def test_pooling_again_changes_nothing(root: Path) -> None:
    folder = pooled_in(root)
    pool_folds(root, folder, False, HALF)
    before = {path: path.stat().st_mtime_ns for path in folder.path.rglob("*.*")}
    pool_folds(root, folder, False, HALF)
    assert {path: path.stat().st_mtime_ns for path in folder.path.rglob("*.*")} == before


def test_each_fold_is_calibrated_by_the_others(root: Path) -> None:
    counts = pool_folds(root, pooled_in(root), False, HALF)
    pairs = [[sure_by(2.0, 10 * k + place) for place in range(3)] for k in range(3)]
    logits = [np.stack([np.log(p / (1 - p)) for p, _ in fold_pairs]).astype(np.float64) for fold_pairs in pairs]
    references = [np.stack([reference for _, reference in fold_pairs]) for fold_pairs in pairs]
    divided = []
    for k in range(3):
        others = [n for n in range(3) if n != k]
        rest = pixel_logits(
            np.concatenate([logits[n] for n in others]), np.concatenate([references[n] for n in others])
        )
        divided.append(logits[k] / fit_temperature(rest).value)
    expected = measure_calibration(pixel_logits(np.concatenate(divided), np.concatenate(references)))
    assert counts is not None and measure_calibration(counts).brier == pytest.approx(expected.brier, abs=1e-3)
    assert measure_calibration(counts).n == 9 * 12 * 17


def test_a_fold_without_a_test_is_named(root: Path) -> None:
    with pytest.raises(
        WrongCallError, match=r"fold-0 has no finished test like this; monai-tumor evaluate .* tests all"
    ):
        pool_folds(root, pooled_in(root), True, HALF)


def test_a_test_counts_only_for_what_was_asked(root: Path) -> None:
    run = root / "fold-1"
    assert finished_test(run, False, HALF) == run / "evaluation" / "001-test"
    assert finished_test(run, False, OperatingPoint(0.4)) is None
    assert finished_test(run, False, PER_FOLD) is None
    fold(root, 1, OperatingPoint(0.4, 0.001, 1.5, "validation part: 9 lesion cases"))
    assert finished_test(run, False, PER_FOLD) == run / "evaluation" / "002-test"
    (run / "models" / "model.pt").write_bytes(b"trained again")
    assert finished_test(run, False, HALF) is None


def test_folds_that_are_not_trained_are_named(root: Path) -> None:
    assert fold_runs(root) == [root / f"fold-{number}" for number in range(3)]
    (root / "fold-2" / "models" / "model.pt").unlink()
    with pytest.raises(WrongCallError, match=r"fold-2 is not trained; go on with: monai-tumor train --resume"):
        fold_runs(root)
    with pytest.raises(WrongCallError, match="is no fold set"):
        fold_runs(root / "fold-0")


def test_folds_tested_with_different_settings_are_not_pooled(root: Path) -> None:
    folder = root / "fold-2" / "evaluation" / "001-test" / "evaluation.json"
    folder.write_text(json.dumps({**json.loads(folder.read_text()), "prediction_sha256": "other"}))
    with pytest.raises(WrongCallError, match="were tested with different settings"):
        pool_folds(root, pooled_in(root), False, HALF)


@pytest.mark.parametrize(("threshold", "area"), [("operating_point.json", None), ("auto", 0.01)])
def test_out_of_fold_cases_take_a_number_or_each_fold_s_own_choice(
    root: Path, threshold: str, area: float | None
) -> None:
    assert point_for("out_of_fold", str(root), "auto", None, False) is PER_FOLD
    with pytest.raises(WrongCallError, match=r"out-of-fold cases take a number|each fold chooses it"):
        point_for("out_of_fold", str(root), threshold, area, False)
