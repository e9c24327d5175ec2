"""The breast ultrasound data set BUS-BRA, labelled by biopsy or by BI-RADS category."""

from __future__ import annotations

from tumor_bus_bra.dataset import BusBraBiradsDataset, BusBraDataset

__all__ = ["BusBraBiradsDataset", "BusBraDataset"]
