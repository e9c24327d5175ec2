"""``python -m monai_tumor``: the command line, also from a checkout that is not installed."""

from monai_tumor.cli.main import console

console()
