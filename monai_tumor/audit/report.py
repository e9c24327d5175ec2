"""The two files of a check: ``check.html`` for people and ``check.json`` for programs, both or none."""

from __future__ import annotations

import json
import os
from pathlib import Path

from monai_tumor.audit.check import Audit
from monai_tumor.audit.page import build_page
from monai_tumor.errors import WrongCallError
from monai_tumor.imaging.write import refuse_target, write_text

NAMES = ("check.html", "check.json")


def refuse_existing(folder: str | os.PathLike[str]) -> None:
    """Refuse a folder that is a file or has one of the two files.

    Raises:
        WrongCallError: It is or has.
    """
    target = Path(folder)
    if os.path.lexists(target) and not target.is_dir():
        raise WrongCallError(f"{target} is a file, expected a folder to write to; choose another name")
    for name in NAMES:
        refuse_target(target / name)


def write_report(folder: str | os.PathLike[str], audit: Audit) -> list[Path]:
    """Write both files.

    Returns:
        The page, then the JSON file.

    Raises:
        WrongCallError: One exists already or cannot be written; then neither is left.
    """
    refuse_existing(folder)
    page, values = (Path(folder) / name for name in NAMES)
    texts = {values: json.dumps(audit.content(), indent=1, ensure_ascii=False) + "\n", page: build_page(audit)}
    written: list[Path] = []
    try:
        for path, text in texts.items():
            write_text(path, text)
            written.append(path)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return [page, values]
