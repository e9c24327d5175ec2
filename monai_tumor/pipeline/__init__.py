"""Cases to batches: the source with its split, the prepared cache, augmentation, collation."""

from monai_tumor.pipeline.appearance import RandomBiasField, RandomShadow, RandomSpeckle
from monai_tumor.pipeline.augment import RandomFlip, RandomIntensity, RandomPose
from monai_tumor.pipeline.chain import TransformChain
from monai_tumor.pipeline.loader import CaseLoader
from monai_tumor.pipeline.prepare_case import PrepareCase, RestoreGeometry
from monai_tumor.pipeline.prepared import PreparedDataset
from monai_tumor.pipeline.source import CaseSource

__all__ = [
    "CaseLoader",
    "CaseSource",
    "PrepareCase",
    "PreparedDataset",
    "RandomBiasField",
    "RandomFlip",
    "RandomIntensity",
    "RandomPose",
    "RandomShadow",
    "RandomSpeckle",
    "RestoreGeometry",
    "TransformChain",
]
