"""Bundles: find, check, run. The only room that talks to ``monai.bundle``."""

from monai_tumor.bundles.find import find_root, run_file
from monai_tumor.bundles.finish import finish_evaluation, finish_prediction, finish_run
from monai_tumor.bundles.running import ConfigurationWriter, begin, prediction_digest, settings_digest

__all__ = [
    "ConfigurationWriter",
    "begin",
    "find_root",
    "finish_evaluation",
    "finish_prediction",
    "finish_run",
    "prediction_digest",
    "run_file",
    "settings_digest",
]
