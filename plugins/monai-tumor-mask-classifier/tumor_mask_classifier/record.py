"""The evaluator's handler: the logits of every case, and all figures at the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ignite.engine import Engine, Events
from numpy.typing import NDArray
from torch import nn

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.evaluation.evaluated_part import evaluation_folder, refuse_wrong_cases
from monai_tumor.evaluation.folder import METRICS, EvaluationFolder
from monai_tumor.evaluation.parts import CALIBRATION, EXTERNAL, OUT_OF_FOLD, evaluated_ids, words_of
from monai_tumor.evaluation.sealed import refuse_second_test, seal
from monai_tumor.imaging.write import write_text
from monai_tumor.inference.operating_point import AUTO, own_file, weights_digest
from monai_tumor.reporting.card import write_card
from monai_tumor.training.record import versions
from tumor_mask_classifier.cases_table import TABLE, DiagnosedCases
from tumor_mask_classifier.diagnosis_point import (
    PREDICTION,
    DiagnosisPoint,
    DiagnosisWish,
    choose_diagnosis_point,
    find_diagnosis_point,
    told,
    write_diagnosis_point,
)
from tumor_mask_classifier.explain_case import ExplainCase
from tumor_mask_classifier.figures import Decisions, decide, decide_out_of_fold, diagnosis_figures
from tumor_mask_classifier.out_of_place import FeatureDistance
from tumor_mask_classifier.pooled import gather_features, pool_tests
from tumor_mask_classifier.report.write import write_diagnosis_report
from tumor_mask_classifier.source import OUT_OF_FOLD as PREDICTED
from tumor_mask_classifier.source import DiagnosisSource

_OTHER_FOLDS = "the other folds"


class RecordDiagnosis:
    """Compare the classes that a run gives with the labels of the cases.

    Writes ``evaluation/<number>-<part>/`` of the run: ``cases.csv``, ``metrics.json`` and ``report.html``.
    The validation part, out-of-fold cases and local cases also choose an operating point, ``operating_point.json``.

    Args:
        bundle_root: The run that is evaluated.
        source: Data, split and masks.
        part: ``training``, ``validation`` or ``test`` of the split; ``out_of_fold`` for the pooled tests of a fold set;
            ``external`` for a whole other data set, sealed; ``calibration`` for a few of its cases.
        network: What predicts; its features tell what is out of place.
        asked: What operating points are chosen for.
        threshold: None for the run's own operating point where there is one, ``auto``, or the file of another one.
        local_cases: How many cases of the data set the part ``calibration`` takes.
        seed: Seed of the intervals, and of the choice of those cases.
        explain: Lets the pictures of the report show what speaks for the called class; None for outlines only.
        made: Digests of the settings that predictions are made with, recorded: ``prediction_sha256`` of all, which an
            operating point must share, and ``inputs_sha256`` of those that a fold has in common with its fold set.

    Raises:
        WrongCallError: The part is unknown, or the operating point is not there, or this part uses none.

    Attributes:
        folder: Where the evaluation lies.
        cases: What was found, once it has finished.
        metrics: What ``metrics.json`` holds then.
    """

    def __init__(
        self,
        bundle_root: str,
        source: DiagnosisSource,
        part: str,
        network: nn.Module,
        asked: DiagnosisWish,
        threshold: str | None = None,
        local_cases: int | None = None,
        seed: int = 0,
        explain: ExplainCase | None = None,
        made: Mapping[str, str | None] | None = None,
    ) -> None:
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise WrongCallError(f"seed is {seed!r}, expected a whole number from 0")
        self.root, self.source, self.part, self.network = Path(bundle_root), source, part, network
        self.asked, self.seed, self.explain, self.made = asked, seed, explain, dict(made or {})
        self.point = self._given_point(threshold)
        self.own = None if self.point is None else self._own_point()
        self.cases: DiagnosedCases | None = None
        self.metrics: dict[str, Any] = {}
        everyone = {case.id for case in source.cases}  # those without a label are refused by name
        self.ids = evaluated_ids(self.root, source, part, local_cases, seed, everyone)
        self.folder = self._folder()
        self._found: dict[str, tuple[NDArray[np.float64], float | None]] = {}
        self._distance: FeatureDistance | None = None

    def items(self) -> list[dict[str, Any]]:
        """Return the MONAI items of the cases; none where the folds have tested them."""
        return self.source.items_of(self.ids)

    def run(self, evaluator: Engine) -> None:
        """Evaluate, write the model card of the run anew, and let others have the folder."""
        try:
            if self.part == OUT_OF_FOLD:
                self.start(evaluator)
                self.finish(evaluator)
            else:
                evaluator.run()
        finally:
            self.folder.close()
        if (self.root / "run.json").is_file():
            write_card(self.root)

    def attach(self, engine: Engine) -> None:
        """Follow the evaluator ``engine``."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, engine: Engine) -> None:
        """Refuse a test on what the run has seen or was tested on before, and masks that are not there; open the folder.

        Raises:
            WrongDataError: A tested case, or another of its group, was in the run's training or validation part.
            WrongCallError: A second external test, or no predicted masks.
        """
        refuse_wrong_cases(self.root, self.source, self.part, self.ids)
        self.source.check_masks_of(self.ids)
        if self.source.mask_source == PREDICTED and self.ids:
            # Not before: a bundle is built to be checked without masks.
            self.folder.identity["masks_sha256"] = self.source.masks.digest(self.ids)
        if self.part == EXTERNAL:
            entries = {name: self.source.split.cases[name] for name in self.ids}
            refuse_second_test(self.root, self.folder.identity, entries)
        self._distance = None if self.part == OUT_OF_FOLD else FeatureDistance(self.root, self.network)
        self.folder.open()

    def add(self, engine: Engine) -> None:
        """Keep the logits of one batch (``pred`` (batch, classes)), and how far from typical its images are."""
        logits = engine.state.output["pred"].detach().cpu().double().numpy()
        distances = None if self._distance is None else self._distance.of_batch()
        for place, name in enumerate(engine.state.batch["case"]):
            self._found[name] = logits[place], None if distances is None else float(distances[place])

    def finish(self, engine: Engine) -> None:
        """Write table and figures, choose an operating point where that may be, and say what came out."""
        self.cases = cases = self._gathered()
        cases.write(self.folder.path / TABLE, self.source.classes)
        chosen = self._choose(cases)
        decisions, chosen_on = self._decided(cases)
        self.metrics = self._figures(cases, decisions, chosen_on)
        # Before the figures, whose file says that all is done.
        write_diagnosis_report(self.folder.path, self.metrics, cases, decisions, self._picture)
        write_text(self.folder.path / METRICS, json.dumps(self.metrics, indent=1, ensure_ascii=False) + "\n")
        where = f"evaluation: {self.folder.path}"
        print("\n".join([f"{self._words}:", *self.metrics["text"], *chosen, where]), file=sys.stderr)

    @property
    def _words(self) -> str:
        return words_of(self.part, self.source)

    def _given_point(self, threshold: str | None) -> DiagnosisPoint | None:
        """Return a point that the evaluated cases had no say in."""
        if self.part in ("test", EXTERNAL):
            return self._find(threshold)
        # The folds of a set are tested with the points of their own; the pooled cases are decided by the other folds.
        if threshold is not None and (self.part, threshold) != (OUT_OF_FOLD, AUTO):
            raise WrongCallError(f"threshold {threshold!r}: the {self.part} part uses no chosen one; leave it out")
        return None

    def _own_point(self) -> DiagnosisPoint | None:
        try:
            return self._find(None)
        except WrongDataError:  # of other weights or settings; only who asks for it has to know
            return None

    def _find(self, threshold: str | None) -> DiagnosisPoint | None:
        return find_diagnosis_point(self.root, threshold, self.source.classes, self.made.get(PREDICTION))

    def _folder(self) -> EvaluationFolder:
        about = {
            "task": "diagnosis",
            "weights_sha256": weights_digest(self.root),
            **self.made,
            "mask_source": self.source.mask_source,
            "crop": self.source.crop,
            "classes": list(self.source.classes),
            "positive": self.asked.positive,
            "asked_sensitivity": self.asked.sensitivity,
            "alpha": self.asked.alpha,
            "operating_point": None if self.point is None else told(self.point),
            "seed": self.seed,
        }
        return evaluation_folder(self.root, self.source, self.part, self.ids, about)

    def _gathered(self) -> DiagnosedCases:
        if self.part == OUT_OF_FOLD:
            gather_features(self.root)
            return pool_tests(self.root, self.source.classes, self.folder.identity)
        names = sorted(self._found)
        distances = [self._found[name][1] for name in names]
        known = None if None in distances else np.array(distances, np.float64)
        return DiagnosedCases(
            tuple(names), self._groups(names), self._targets(names), np.stack([self._found[n][0] for n in names]), known
        )

    def _targets(self, names: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self.source.classes.index(str(self.source.case(name).label)) for name in names], np.int64)

    def _groups(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.source.split.cases[name].cluster for name in names)

    def _choose(self, cases: DiagnosedCases) -> list[str]:
        """Choose the operating point, and return what was chosen in words."""
        if self.part not in ("validation", OUT_OF_FOLD, CALIBRATION):
            return []
        try:
            point = choose_diagnosis_point(cases, self.asked, self._words)
        except WrongDataError as error:
            if self.part == CALIBRATION:
                raise
            return [f"no operating point was chosen: {error}"]
        own = own_file(self.root, False)
        target = self.folder.path / own.name if self.part == CALIBRATION else own
        write_diagnosis_point(target, point, self.root, self.made.get(PREDICTION))
        return [told(point), f"operating point: {target}"]

    def _decided(self, cases: DiagnosedCases) -> tuple[Decisions | None, str]:
        """Return what points decide that were chosen on other cases, and on which."""
        if self.part == OUT_OF_FOLD:
            try:
                return decide_out_of_fold(cases, self.asked), _OTHER_FOLDS
            except WrongDataError:  # no positive case in the other folds
                return None, ""
        return (None, "") if self.point is None else (decide(self.point, cases), self.point.chosen_on)

    def _picture(self, case: str) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.float32] | None]:
        if self.explain is None or self.cases is None:
            return (*self.source.load(case), None)
        place = self.cases.names.index(case)
        fold = None if self.cases.folds is None else int(self.cases.folds[place])
        return (*self.source.load(case), self.explain(case, int(self.cases.logits[place].argmax()), fold))

    def _figures(self, cases: DiagnosedCases, decisions: Decisions | None, chosen_on: str) -> dict[str, Any]:
        figures = diagnosis_figures(cases, decisions, chosen_on, self.asked, self.seed)
        identity = {name: value for name, value in self.folder.identity.items() if name not in ("pixels", "hashes")}
        sealed = {"sealed": seal(self.folder.identity)} if self.part == EXTERNAL else {}
        return {**identity, **sealed, "versions": versions(), **figures, **self._before(cases)}

    def _before(self, cases: DiagnosedCases) -> dict[str, Any]:
        """Return the figures at the run's own point, where another was given: what the local choice has changed."""
        own = self.own
        if own is None or own == self.point:
            return {}
        figures = diagnosis_figures(cases, decide(own, cases), own.chosen_on, self.asked, self.seed)
        return {"before": {name: figures[name] for name in ("point", "answers", "calibration") if name in figures}}
