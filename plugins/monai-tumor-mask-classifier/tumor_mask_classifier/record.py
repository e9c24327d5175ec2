"""The evaluator's handler: the logits of every case, and all figures at the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ignite.engine import Engine, Events
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError
from monai_tumor.evaluation.folder import METRICS, EvaluationFolder
from monai_tumor.evaluation.parts import EXTERNAL, pictures_of, words_of
from monai_tumor.evaluation.sealed import refuse_second_test, seal, sealed_name
from monai_tumor.evaluation.seen import refuse_seen_cases
from monai_tumor.imaging.write import write_text
from monai_tumor.inference.operating_point import weights_digest
from monai_tumor.reporting.card import write_card
from monai_tumor.splits.split import read_split
from monai_tumor.training.record import versions
from tumor_mask_classifier.cases_table import diagnosis_table
from tumor_mask_classifier.source import DiagnosisSource

TABLE = "cases.csv"


class RecordDiagnosis:
    """Compare the classes that a run gives with the labels of the cases.

    Writes ``evaluation/<number>-<part>/`` of the run: ``cases.csv`` and ``metrics.json``.

    Args:
        bundle_root: The run that is evaluated.
        source: Data, split and masks.
        part: ``training``, ``validation`` or ``test`` of the split; ``external`` for a whole other data set, sealed.
        positive: The class that sensitivity and specificity are about.
        seed: Seed of the intervals.

    Raises:
        WrongCallError: ``positive`` is not one of the classes.

    Attributes:
        folder: Where the evaluation lies.
        metrics: What ``metrics.json`` holds, once it has finished.
    """

    def __init__(
        self, bundle_root: str, source: DiagnosisSource, part: str, positive: str = "malignant", seed: int = 0
    ) -> None:
        if positive not in source.classes:
            raise WrongCallError(f"positive is {positive!r}, expected one of the classes {', '.join(source.classes)}")
        self.root, self.source, self.part = Path(bundle_root), source, part
        self.positive, self.seed = positive, seed
        self.metrics: dict[str, Any] = {}
        self.folder = EvaluationFolder(self.root, {"part": part})
        self._logits: dict[str, NDArray[np.float64]] = {}

    def items(self) -> list[dict[str, Any]]:
        """Return the MONAI items of the part."""
        return self.source.items(self._own_part)

    def run(self, evaluator: Engine) -> None:
        """Evaluate, write the model card of the run anew, and let others have the folder."""
        try:
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
        ids, own = self.source.split.ids(self._own_part), self.root / "split.json"
        if self.part in ("test", EXTERNAL) and own.is_file():
            refuse_seen_cases(read_split(own), self.source.split, ids)
        self.source.check_masks(self._own_part)
        identity = self._identity()
        if self.part == EXTERNAL:
            identity |= pictures_of(self.source, ids)
            refuse_second_test(self.root, identity, {name: self.source.split.cases[name] for name in ids})
            self.folder = EvaluationFolder(
                self.root, identity, sealed_name(self.source.name, identity["data_fingerprint"])
            )
        else:
            self.folder = EvaluationFolder(self.root, identity)
        self.folder.open()

    def add(self, engine: Engine) -> None:
        """Keep the logits of one batch (``pred`` (batch, classes))."""
        logits = engine.state.output["pred"].detach().cpu().double().numpy()
        self._logits.update(zip(engine.state.batch["case"], logits, strict=True))

    def finish(self, engine: Engine) -> None:
        """Write table and figures, and say what came out."""
        names = sorted(self._logits)
        logits = np.stack([self._logits[name] for name in names])
        write_text(self.folder.path / TABLE, self._table(names, logits), overwrite=True)
        self.metrics = self._figures(names, logits)
        write_text(self.folder.path / METRICS, json.dumps(self.metrics, indent=1, ensure_ascii=False) + "\n")
        told = [f"{words_of(self.part, self.source)}:", *self.metrics["text"], f"evaluation: {self.folder.path}"]
        print("\n".join(told), file=sys.stderr)

    @property
    def _own_part(self) -> str:
        return "test" if self.part == EXTERNAL else self.part  # all of another data set is the test part of its split

    def _identity(self) -> dict[str, Any]:
        return {
            "task": "diagnosis",
            "part": self.part,
            "dataset": self.source.name,
            "split": self.source.split.hash,
            "data_fingerprint": self.source.split.fingerprint,
            "weights_sha256": weights_digest(self.root),
            "mask_source": self.source.mask_source,
            "crop": self.source.crop,
            "positive": self.positive,
            "seed": self.seed,
        }

    def _targets(self, names: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self.source.classes.index(str(self.source.case(name).label)) for name in names], np.int64)

    def _groups(self, names: Sequence[str]) -> list[str]:
        return [self.source.split.cases[name].cluster for name in names]

    def _table(self, names: Sequence[str], logits: NDArray[np.float64]) -> str:
        return diagnosis_table(names, self._groups(names), logits, self._targets(names), self.source.classes)

    def _figures(self, names: Sequence[str], logits: NDArray[np.float64]) -> dict[str, Any]:
        from monai_tumor.metrics.diagnosis import summarise_diagnosis

        targets, classes = self._targets(names), self.source.classes
        figures = summarise_diagnosis(logits, targets, self._groups(names), classes, self.seed, positive=self.positive)
        identity = {name: value for name, value in self.folder.identity.items() if name not in ("pixels", "hashes")}
        sealed = {"sealed": seal(self.folder.identity)} if self.part == EXTERNAL else {}
        return {**identity, **sealed, "versions": versions(), **figures}
