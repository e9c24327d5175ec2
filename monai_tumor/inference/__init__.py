"""Using a trained bundle: mixed precision, evaluation against references, prediction of files."""

from monai_tumor.inference.autocast import AutocastInferer
from monai_tumor.inference.evaluation import RecordEvaluation
from monai_tumor.inference.prediction import SavePredictions, list_images
from monai_tumor.inference.weights import WeightsCheckpointLoader

__all__ = ["AutocastInferer", "RecordEvaluation", "SavePredictions", "WeightsCheckpointLoader", "list_images"]
