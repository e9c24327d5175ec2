"""``cases.csv`` of an evaluation: one row a case, from which every figure can be made again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.write import write_text

TABLE = "cases.csv"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class DiagnosedCases:
    """Cases with their class and what a classifier gave.

    Attributes:
        names: Ids.
        groups: Group of each.
        targets: int64 (cases,), index of its class.
        logits: float64 (cases, classes).
        distances: float64 (cases,), how far its features are from typical ones; None where nobody measured.
        folds: int64 (cases,), the fold that tested each; None for cases of one test.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    targets: NDArray[np.int64]
    logits: Floats
    distances: Floats | None = None
    folds: NDArray[np.int64] | None = None

    def chosen(self, among: NDArray[np.bool_]) -> DiagnosedCases:
        """Return some of the cases, those where ``among`` (cases,) is true."""
        return self.at(np.flatnonzero(among))

    def at(self, places: NDArray[np.intp]) -> DiagnosedCases:
        """Return the cases at some places, in that order."""
        return DiagnosedCases(
            tuple(self.names[k] for k in places.tolist()),
            tuple(self.groups[k] for k in places.tolist()),
            self.targets[places],
            self.logits[places],
            None if self.distances is None else self.distances[places],
            None if self.folds is None else self.folds[places],
        )

    def sorted(self) -> DiagnosedCases:
        """Return the cases sorted by id."""
        return self.at(np.argsort(np.array(self.names), kind="stable"))

    def write(self, path: Path, classes: Sequence[str]) -> None:
        """Write the table; an earlier one is replaced.

        Columns are ``case``, ``group``, ``label``, a logit and a probability for each class, ``target``, and ``distance``
        and ``fold`` where they are known.
        """
        buffer = io.StringIO()
        table = csv.writer(buffer, lineterminator="\n")
        kinds = [f"{kind}_{label}" for kind in ("logit", "probability") for label in classes]
        known = [name for name in ("distance", "fold") if getattr(self, f"{name}s") is not None]
        table.writerow(["case", "group", "label", *kinds, "target", *known])
        table.writerows(self._rows(classes))
        write_text(path, buffer.getvalue(), overwrite=True)

    def _rows(self, classes: Sequence[str]) -> Iterator[list[Any]]:
        shares = probabilities(self.logits)
        for place, name in enumerate(self.names):
            numbers = [f"{value:.9g}" for value in (*self.logits[place], *shares[place])]  # holds every float32
            target = int(self.targets[place])
            row = [name, self.groups[place], classes[target], *numbers, target]
            row += [] if self.distances is None else [f"{self.distances[place]:.9g}"]
            yield row + ([] if self.folds is None else [int(self.folds[place])])


def read_diagnosed(path: Path, classes: Sequence[str]) -> DiagnosedCases:
    """Read a table.

    Args:
        path: ``cases.csv``.
        classes: The labels in the order of the logits.

    Raises:
        WrongDataError: It cannot be read, or is one of other classes.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        known = set(rows[0]) if rows else set()
        distances = np.array([float(row["distance"]) for row in rows]) if "distance" in known else None
        folds = np.array([int(row["fold"]) for row in rows], np.int64) if "fold" in known else None
        logits = np.array([[float(row[f"logit_{name}"]) for name in classes] for row in rows], np.float64)
        if not rows or not np.isfinite(logits).all():
            raise ValueError("no case, or a logit that is no number")
        return DiagnosedCases(
            tuple(row["case"] for row in rows),
            tuple(row["group"] for row in rows),
            np.array([_target(row, classes) for row in rows], np.int64),
            logits,
            distances,
            folds,
        )
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise WrongDataError(
            f"{path} is no table of the classes {', '.join(classes)} ({error}); evaluate again"
        ) from error


def _target(row: Mapping[str, str], classes: Sequence[str]) -> int:
    place = int(row["target"])
    if not 0 <= place < len(classes) or row["label"] != classes[place]:
        raise ValueError(f"case {row['case']!r} has label {row['label']!r} and target {place}")
    return place


def pool_tables(tests: Sequence[DiagnosedCases]) -> DiagnosedCases:
    """Return the cases of the tests of all folds, fold 0 first, sorted by id; distances where every fold has them."""
    folds = np.concatenate([np.full(len(test.names), fold, np.int64) for fold, test in enumerate(tests)])
    known = [test.distances for test in tests if test.distances is not None]
    both = DiagnosedCases(
        tuple(name for test in tests for name in test.names),
        tuple(group for test in tests for group in test.groups),
        np.concatenate([test.targets for test in tests]),
        np.concatenate([test.logits for test in tests]),
        np.concatenate(known) if len(known) == len(tests) else None,
        folds,
    )
    return both.sorted()


def probabilities(logits: Floats) -> Floats:
    """Return the softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return shares
