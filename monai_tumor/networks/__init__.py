"""Networks by name. ``build`` is what configurations name; each network lives in a file of its own."""

from monai_tumor.networks.factory import NetworkFactory, build
from monai_tumor.networks.normalisation import Normalisation

__all__ = ["NetworkFactory", "Normalisation", "build"]
