"""Thyroid ultrasound with nodule outlines in the three layouts in which it is usually passed on."""

from __future__ import annotations

from tumor_thyroid.dataset import ThyroidDataset

__all__ = ["ThyroidDataset"]
