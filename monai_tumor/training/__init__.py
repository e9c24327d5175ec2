"""Training: what MONAI's Ignite trainer needs beside it. The loss, optimiser and engines are named in the bundles."""

from monai_tumor.training.averaging import WeightAverage
from monai_tumor.training.budget import LearningRateSchedule, TrainingBudget
from monai_tumor.training.checkpoint import SaveCheckpoint
from monai_tumor.training.dice_bce import DiceBceLoss
from monai_tumor.training.dice_boundary import DiceBoundaryLoss
from monai_tumor.training.handlers import (
    ClipGradients,
    ReseedEpoch,
    StopAtNaN,
    StopEarly,
    StopOnInterrupt,
    as_handler,
    latest_figure,
)
from monai_tumor.training.lesion_dice import LesionDice
from monai_tumor.training.losses import build_loss
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
    "ClipGradients",
    "DiceBceLoss",
    "DiceBoundaryLoss",
    "LearningRateSchedule",
    "LesionDice",
    "RecordRun",
    "ReseedEpoch",
    "RunFolder",
    "SaveCheckpoint",
    "StopAtNaN",
    "StopEarly",
    "StopOnInterrupt",
    "TrainingBudget",
    "TrainingProgress",
    "WeightAverage",
    "as_handler",
    "best_device",
    "build_loss",
    "join_processes",
    "keep_memory",
    "latest_figure",
    "leave_processes",
    "my_share",
    "place_network",
    "share_network",
]
