"""Using trained weights: mixed precision, operating point, prediction of files."""

from monai_tumor.inference.autocast import AutocastInferer
from monai_tumor.inference.inputs import InputPictures, list_inputs
from monai_tumor.inference.maps import MeanOfMaps
from monai_tumor.inference.operating_point import LesionMask, operating_point
from monai_tumor.inference.prediction import SavePredictions
from monai_tumor.inference.weights import WeightsCheckpointLoader

__all__ = [
    "AutocastInferer",
    "InputPictures",
    "LesionMask",
    "MeanOfMaps",
    "SavePredictions",
    "WeightsCheckpointLoader",
    "list_inputs",
    "operating_point",
]
