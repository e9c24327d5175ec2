"""Run a bundle in this process exactly as ``python -m monai.bundle run`` does."""

from __future__ import annotations

import logging
import shlex
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_tumor.bundles.settings import check_settings


def run_bundle(run_id: str, files: Sequence[Path], settings: Mapping[str, Any]) -> None:
    """Run one id of a configuration.

    Args:
        run_id: ``training``, ``evaluating`` or ``predicting``.
        files: Configuration files; later ones override earlier ones.
        settings: Overrides, ``network_def#name`` style; None is kept (MONAI 1.6.1 drops it, so it is sent as ``$None``).

    Raises:
        ToolkitError: The user's mistakes, possibly wrapped by MONAI (see ``errors.user_error``).
    """
    check_settings(files, settings)
    with warnings.catch_warnings():
        # MONAI warns at every start that a configuration is code (GHSA-873f-pvrv-4x83); ours and the user's own runs are.
        warnings.filterwarnings("ignore", message="parsing config_file")
        from monai.bundle import run

        # A recipe never lies beside the bundle, which MONAI finds worth a warning.
        logging.getLogger("monai.bundle.workflows").addFilter(_is_no_remark_on_folders)
        overrides = {key: "$None" if value is None else value for key, value in settings.items()}
        run(run_id=run_id, config_file=[str(path) for path in files], **overrides)


def _is_no_remark_on_folders(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Not all config files are in")


def plain_command(run_id: str, files: Sequence[Path], settings: Mapping[str, Any]) -> str:
    """Return the shell line that does the same with MONAI's own command."""
    names = [str(path) for path in files]
    config = names[0] if len(names) == 1 else str(names)
    words = ["python", "-m", "monai.bundle", "run", run_id, "--config_file", config]
    for key, value in settings.items():
        words += [f"--{key}", "$None" if value is None else str(value)]
    return shlex.join(words)
