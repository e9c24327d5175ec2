"""The folder of a diagnosis: folds, stage-one networks, masks, classifiers, figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.evaluation.folder import evaluations
from monai_tumor.evaluation.folder import is_finished as is_evaluated
from monai_tumor.folds.child import is_finished
from monai_tumor.imaging.write import write_bytes, write_text
from monai_tumor.splits.split import Split, read_split, write_split
from tumor_mask_classifier.crossfit import Pair, leaks, mask_pairs, pair_split, pairs
from tumor_mask_classifier.predicted_masks import ORIGIN

_BEGUN = "diagnosis.json"


class DiagnosisFolder:
    """``OUT``: ``split.json``, ``stage-one/pair-J-K``, ``masks/fold-K`` and ``WAY/fold-K``.

    Args:
        path: The folder; it need not exist.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def split_file(self) -> Path:
        """The folds of both stages."""
        return self.path / "split.json"

    @property
    def split(self) -> Split:
        """The folds, read and checked."""
        return read_split(self.split_file)

    @property
    def is_begun(self) -> bool:
        """Whether it was begun before."""
        return (self.path / _BEGUN).is_file()

    def begin(self, split: Split, asked: dict[str, Any]) -> None:
        """Write the folds and what is asked for, or refuse a folder that was begun with something else.

        Raises:
            WrongCallError: Names what differs.
        """
        asked = {**asked, "split": split.hash}
        file = self.path / _BEGUN
        if not self.is_begun:
            # A kill may have come after the folds.
            if self.path.is_dir() and {entry.name for entry in self.path.iterdir()} - {self.split_file.name}:
                raise WrongCallError(f"{self.path} is not empty and no diagnosis was begun there; give another folder")
            if not self.split_file.is_file():
                write_split(self.split_file, split)
            elif self.split.hash != split.hash:
                raise WrongCallError(f"{self.split_file} holds other folds than these; give another folder")
            write_text(file, json.dumps(asked, indent=1) + "\n")
            return
        begun = _read(file)
        for name, value in asked.items():
            if begun.get(name) != value:
                raise WrongCallError(
                    f"{self.path} was begun with {name} {begun.get(name)!r}, not {value!r}; give another folder"
                )

    def stage_one(self, pair: Pair) -> Path:
        """Return the run of the network that never sees two folds."""
        return self.path / "stage-one" / f"pair-{pair[0]}-{pair[1]}"

    def pair_file(self, pair: Pair) -> Path:
        """Return the split of that network, written if it is not there."""
        path = self.path / "stage-one" / f"pair-{pair[0]}-{pair[1]}.json"
        if not path.is_file():
            write_split(path, pair_split(self.split, pair))
        return path

    def masks(self, fold: int) -> Path:
        """Return the masks for the classifier that is tested on one fold."""
        return self.path / "masks" / f"fold-{fold}"

    def classifier(self, way: str, fold: int) -> Path:
        """Return the run of one way and fold."""
        return self.path / way / f"fold-{fold}"

    def untrained(self, runs: Sequence[Path]) -> list[Path]:
        """Return the runs that are not finished."""
        return [run for run in runs if not is_finished(run)]

    def gather_masks(self, fold: int) -> None:
        """Copy the mask of every case from the network that may draw it, and write where each comes from.

        Raises:
            RuntimeError: A network saw what it must not have seen: this cannot be, and nothing is written then.
            WrongDataError: A network drew no mask of a case.
        """
        target = self.masks(fold)
        if (target / ORIGIN).is_file():
            return
        split, chosen = self.split, mask_pairs(self.split, fold)
        networks = {pair: read_split(self.stage_one(pair) / "split.json") for pair in pairs(split.folds)}
        if leaking := leaks(split, chosen, networks, split.ids("test", fold)):
            raise RuntimeError(f"the mask of {leaking[0]!r} comes from a network that saw its group")
        for name, pair in chosen.items():
            write_bytes(target / f"{name}.png", self._drawn(pair, name).read_bytes(), overwrite=True)
        origin = {name: {"pair": list(pair), "weights_sha256": self._weights(pair)} for name, pair in chosen.items()}
        write_text(target / ORIGIN, json.dumps(origin, indent=1) + "\n")

    def _drawn(self, pair: Pair, name: str) -> Path:
        """Return the mask of the first finished test, which was made with the settings of all others."""
        run = self.stage_one(pair)
        for test in filter(is_evaluated, evaluations(run, "test")):
            if (mask := test / "predictions" / f"{name}.png").is_file():
                return mask
        raise WrongDataError(
            f"{run} drew no mask of case {name!r}, which has no reference mask; leave it out of the data set"
        )

    def _weights(self, pair: Pair) -> str:
        record = json.loads((self.stage_one(pair) / "run.json").read_text(encoding="utf-8"))
        return str(record["weights_sha256"])


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise WrongDataError(f"{path} cannot be read ({error}); give another folder") from error
