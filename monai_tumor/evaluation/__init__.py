"""Evaluation of trained bundles: each case once, then figures, calibration and an operating point that no test case chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monai_tumor.evaluation.parts import point_for, split_for
    from monai_tumor.evaluation.record import RecordEvaluation

__all__ = ["RecordEvaluation", "point_for", "split_for"]


def __getattr__(name: str) -> Any:
    """Import torch only for those who evaluate: an evaluated case is read without it."""
    if name == "RecordEvaluation":
        from monai_tumor.evaluation.record import RecordEvaluation

        return RecordEvaluation
    if name in __all__:
        from monai_tumor.evaluation import parts

        return getattr(parts, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
