"""The folder of a diagnosis: folds, stage-one networks, masks, classifiers, figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monai_tumor.errors import WrongCallError
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

    def begin(self, split: Split, asked: dict[str, Any]) -> None:
        """Write the folds and what is asked for, or refuse a folder that was begun with something else.

        Raises:
            WrongCallError: Names what differs.
        """
        asked = {**asked, "split": split.hash}
        file = self.path / _BEGUN
        if not file.is_file():
            if self.path.is_dir() and any(self.path.iterdir()):
                raise WrongCallError(f"{self.path} is not empty and no diagnosis was begun there; give another folder")
            write_split(self.split_file, split)
            write_text(file, json.dumps(asked, indent=1) + "\n")
            return
        begun = json.loads(file.read_text(encoding="utf-8"))
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
        """
        target = self.masks(fold)
        if (target / ORIGIN).is_file():
            return
        split, chosen = self.split, mask_pairs(self.split, fold)
        networks = {pair: read_split(self.stage_one(pair) / "split.json") for pair in pairs(split.folds)}
        if leaking := leaks(split, chosen, networks, split.ids("test", fold)):
            raise RuntimeError(f"the mask of {leaking[0]!r} comes from a network that saw its group")
        for name, pair in chosen.items():
            (mask,) = self.stage_one(pair).glob(f"evaluation/*-test/predictions/{_escaped(name)}.png")
            write_bytes(target / f"{name}.png", mask.read_bytes(), overwrite=True)
        origin = {name: {"pair": list(pair), "weights_sha256": self._weights(pair)} for name, pair in chosen.items()}
        write_text(target / ORIGIN, json.dumps(origin, indent=1) + "\n")

    def _weights(self, pair: Pair) -> str:
        record = json.loads((self.stage_one(pair) / "run.json").read_text(encoding="utf-8"))
        return str(record["weights_sha256"])


def _escaped(name: str) -> str:
    """Return a case id as a pattern that matches nothing else."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
