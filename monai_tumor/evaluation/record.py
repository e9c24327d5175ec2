"""The evaluator's handler: every case scored in the geometry of its file and kept, then all figures at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ignite.engine import Engine, Events

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.evaluation.evaluated_case import EvaluatedCase, write_case
from monai_tumor.evaluation.evaluated_part import evaluation_folder, refuse_wrong_cases
from monai_tumor.evaluation.figures import (
    calibration_lines,
    choose_operating_point,
    evaluation_figures,
    point_lines,
)
from monai_tumor.evaluation.folder import METRICS, EvaluationFolder, read_cases
from monai_tumor.evaluation.parts import (
    CALIBRATION,
    EXTERNAL,
    OUT_OF_FOLD,
    evaluated_ids,
    words_of,
)
from monai_tumor.evaluation.pool import pool_folds
from monai_tumor.evaluation.scoring import evaluate_case, mean_map
from monai_tumor.evaluation.sealed import refuse_second_test, seal
from monai_tumor.evaluation.table import cases_table, summary_lines
from monai_tumor.imaging.pictures import comparison_picture
from monai_tumor.imaging.read import read_mask
from monai_tumor.imaging.write import write_mask, write_picture, write_text
from monai_tumor.inference.operating_point import OperatingPoint, own_file, weights_digest, write_point
from monai_tumor.metrics.logits import LogitCounts
from monai_tumor.pipeline import CaseSource
from monai_tumor.training.record import versions

_PICTURES = 6
_CHOSEN = ("threshold", "smallest_area", "chosen_on")


class RecordEvaluation:
    """Compare the predictions of a run with the references, in the geometry of each file.

    Writes ``evaluation/<number>-<part>/`` of the run: ``predictions/<case>.png``, ``cases/<case>.npz``, ``cases.csv``,
    ``metrics.json`` and ``comparison.png``. Each case is written as soon as it is predicted; an evaluation that was killed
    goes on in its folder. The validation part and out-of-fold cases also choose the run's operating point.

    Args:
        bundle_root: The run that is evaluated.
        source: Data and split.
        part: The part that is evaluated: ``training``, ``validation`` or ``test`` of the split; ``out_of_fold`` for the pooled
            tests of a fold set; ``external`` for a whole other data set, sealed; ``calibration`` for a few of its cases.
        point: How probabilities become masks.
        prediction: Digest of the settings that predictions are made with; recorded.
        tta: Whether predictions are means over mirrored images; recorded.
        local_cases: How many cases of the data set the part ``calibration`` takes.
        seed: Seed of the intervals, and of the choice of those cases.
        report: Writes the report of a finished evaluation, given this object; None for no report.

    Raises:
        WrongCallError: A setting is of another kind, or the part is unknown.

    Attributes:
        folder: Where the evaluation lies.
        cases: All evaluated cases, once it has finished.
        metrics: What ``metrics.json`` holds then.
    """

    def __init__(
        self,
        bundle_root: str,
        source: CaseSource,
        part: str,
        point: OperatingPoint,
        prediction: str | None = None,
        tta: bool = False,
        local_cases: int | None = None,
        seed: int = 0,
        report: Callable[[Any], object] | None = None,
    ) -> None:
        _check("tta", tta, isinstance(tta, bool), "true or false")
        _check(
            "seed", seed, isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0, "a whole number from 0"
        )
        self.root, self.source, self.part = Path(bundle_root), source, part
        self.point, self.prediction, self.tta, self.seed, self.report = point, prediction, tta, seed, report
        self.cases: list[EvaluatedCase] = []
        self.metrics: dict[str, Any] = {}
        self.ids = evaluated_ids(self.root, source, part, local_cases, seed)
        self.folder = self._folder()

    def items(self) -> list[dict[str, Any]]:
        """Return the MONAI items of the cases that are still to be predicted."""
        done = self.folder.done()
        return self.source.items_of([name for name in self.ids if name not in done])

    def run(self, evaluator: Engine) -> None:
        """Evaluate; where every case was predicted before, only the figures are made."""
        try:
            if self.part != OUT_OF_FOLD and self.items():
                evaluator.run()
            else:
                self.start(evaluator)
                self.finish(evaluator)
        finally:
            self.folder.close()

    def attach(self, engine: Engine) -> None:
        """Follow the evaluator ``engine``."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, engine: Engine) -> None:
        """Refuse a test on what the run has seen or was tested on before, then open the folder.

        Raises:
            WrongDataError: A tested case, or another case of its group, was in the training or validation part of the run.
            WrongCallError: A second external test.
        """
        refuse_wrong_cases(self.root, self.source, self.part, self.ids)
        if self.part == EXTERNAL:
            entries = {name: self.source.split.cases[name] for name in self.ids}
            refuse_second_test(self.root, self.folder.identity, entries)
        self.folder.open()

    def add(self, engine: Engine) -> None:
        """Score the cases of one batch (decollated: ``pred`` is (maps, source rows, source columns) of probabilities)."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            self._add(item["case"], np.asarray(output["pred"]))

    def finish(self, engine: Engine) -> None:
        """Write rows, figures and the picture, choose an operating point where that may be, and say what came out."""
        calibrated = pool_folds(self.root, self.folder, self.tta, self.point) if self.part == OUT_OF_FOLD else None
        self.cases = cases = read_cases(self.folder.path)
        self.metrics = metrics = self._metrics(cases, calibrated)
        write_text(self.folder.path / "cases.csv", cases_table(cases), overwrite=True)
        write_picture(self.folder.path / "comparison.png", self._picture(cases), overwrite=True)
        chosen = self._choose(cases)
        if self.report is not None:  # before the figures, whose file says that all is done
            self.report(self)
        write_text(self.folder.path / METRICS, json.dumps(metrics, indent=1, ensure_ascii=False) + "\n")
        self.folder.close()
        told = [f"{words_of(self.part, self.source)}:", *metrics["text"], *chosen, f"evaluation: {self.folder.path}"]
        print("\n".join(told), file=sys.stderr)

    def _folder(self) -> EvaluationFolder:
        about = {
            "weights_sha256": weights_digest(self.root),
            "prediction_sha256": self.prediction,
            **{name: value for name, value in self.point.plain().items() if name in _CHOSEN},
            "tta": self.tta,
            "seed": self.seed,
        }
        return evaluation_folder(self.root, self.source, self.part, self.ids, about)

    def _add(self, case_id: str, maps: npt.NDArray[Any]) -> None:
        case, reference = self.source.case(case_id), self.source.load(case_id)[1]
        if reference is None:
            write_mask(self.folder.mask_file(case_id), self.point.mask(mean_map(maps)), overwrite=True)
            return
        # Not every data set knows the scanner.
        about = {"label": case.label, "scanner": getattr(case, "scanner", None), "dataset": self.source.name}
        group = self.source.split.cases[case_id].cluster
        evaluated, mask = evaluate_case(case_id, group, maps, reference, self.point, **about)
        write_mask(self.folder.mask_file(case_id), mask, overwrite=True)  # a kill may have come between the two
        write_case(self.folder.case_file(case_id), evaluated)

    def _metrics(self, cases: Sequence[EvaluatedCase], calibrated: LogitCounts | None) -> dict[str, Any]:
        figures = evaluation_figures(cases, self.point, self.seed, calibrated)
        lines = [*summary_lines(figures), *calibration_lines(figures["calibration"])]
        identity = {name: value for name, value in self.folder.identity.items() if name not in ("pixels", "hashes")}
        sealed = {"sealed": seal(self.folder.identity)} if self.part == EXTERNAL else {}
        return {**identity, **sealed, "versions": versions(), "text": lines, **figures}

    def _choose(self, cases: Sequence[EvaluatedCase]) -> list[str]:
        """Choose the operating point, and return what was chosen in words."""
        if self.part not in ("validation", OUT_OF_FOLD, CALIBRATION):
            return []
        try:
            point, about = choose_operating_point(cases, words_of(self.part, self.source), self.seed)
        except WrongDataError as error:
            if self.part == CALIBRATION:
                raise
            return [f"no operating point was chosen: {error}"]
        own = own_file(self.root, self.tta)
        target = self.folder.path / own.name if self.part == CALIBRATION else own
        made = {"weights_sha256": weights_digest(self.root), "prediction_sha256": self.prediction, "tta": self.tta}
        write_point(target, point, **made, **about)
        return [*point_lines(point, about), f"operating point: {target}"]

    def _picture(self, cases: Sequence[EvaluatedCase]) -> npt.NDArray[np.uint8]:
        """Cases spread evenly from the worst to the best Dice, so that nobody picks the pretty ones."""
        ranked = sorted((case for case in cases if case.levels.has_lesion), key=lambda case: case.scored.overlap.dice)
        ranked = ranked or list(cases)
        places = np.linspace(0, len(ranked) - 1, min(_PICTURES, len(ranked))).round().astype(int)
        return comparison_picture([self._picture_row(ranked[place]) for place in places])

    def _picture_row(self, case: EvaluatedCase) -> Any:
        image, reference = self.source.load(case.id)
        return (
            image,
            reference,
            read_mask(self.folder.mask_file(case.id)),
            f"Dice {case.scored.overlap.dice:.3f}  {case.id}",
        )


def _check(name: str, value: Any, is_right: bool, expected: str) -> None:
    if not is_right:
        raise WrongCallError(f"{name} is {value!r}, expected {expected}")
