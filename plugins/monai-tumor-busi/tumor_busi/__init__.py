"""The breast ultrasound data set BUSI."""

from __future__ import annotations

from tumor_busi.dataset import BusiDataset

__all__ = ["BusiDataset"]
