"""Brain tumour MRI in the three layouts in which it is usually passed on."""

from __future__ import annotations

from tumor_brain_mri.dataset import BrainMriDataset

__all__ = ["BrainMriDataset"]
