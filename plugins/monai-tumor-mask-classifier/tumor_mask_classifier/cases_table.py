"""``cases.csv`` of an evaluation: one row a case, from which every figure can be made again."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def diagnosis_table(
    cases: Sequence[str],
    groups: Sequence[str],
    logits: NDArray[np.float64],
    targets: NDArray[np.int64],
    classes: Sequence[str],
) -> str:
    """Return the table as text.

    Args:
        cases: Id of each case.
        groups: Its group.
        logits: (cases, classes).
        targets: (cases,), index of the class.
        classes: The labels.

    Returns:
        CSV with ``case``, ``group``, ``label``, ``logit_<class>`` and ``probability_<class>`` for each, and ``target``.
    """
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(
        [
            "case",
            "group",
            "label",
            *(f"{kind}_{label}" for kind in ("logit", "probability") for label in classes),
            "target",
        ]
    )
    for case, group, row, target in zip(cases, groups, logits, targets.tolist(), strict=True):
        numbers = [f"{value:.9g}" for value in (*row, *probabilities(row))]  # nine digits hold every float32
        table.writerow([case, group, classes[target], *numbers, target])
    return buffer.getvalue()


def probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return shares
