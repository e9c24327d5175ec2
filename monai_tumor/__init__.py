"""monai-tumor: find and outline tumours in medical images, on MONAI bundles.

Importing the package imports nothing else, so that ``monai-tumor --help`` answers at once.
"""

__version__ = "0.1.0"
