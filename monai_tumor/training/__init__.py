"""Training: what MONAI's Ignite trainer needs beside it. The loss, optimiser and engines are named in the bundles."""

from monai_tumor.training.checkpoint import SaveCheckpoint
from monai_tumor.training.dice_bce import DiceBceLoss
from monai_tumor.training.handlers import ReseedEpoch, StopAtNaN, StopOnInterrupt
from monai_tumor.training.lesion_dice import LesionDice
from monai_tumor.training.process import (
    BatchPreparation,
    best_device,
    join_processes,
    keep_memory,
    leave_processes,
    my_share,
    place_network,
    share_network,
)
from monai_tumor.training.progress import TrainingProgress
from monai_tumor.training.record import RecordRun
from monai_tumor.training.run_folder import RunFolder

__all__ = [
    "BatchPreparation",
    "DiceBceLoss",
    "LesionDice",
    "RecordRun",
    "ReseedEpoch",
    "RunFolder",
    "SaveCheckpoint",
    "StopAtNaN",
    "StopOnInterrupt",
    "TrainingProgress",
    "best_device",
    "join_processes",
    "keep_memory",
    "leave_processes",
    "my_share",
    "place_network",
    "share_network",
]
