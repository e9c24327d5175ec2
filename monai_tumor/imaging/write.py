"""Arrays and text to files that are whole or absent, and never replace another file unasked."""

from __future__ import annotations

import contextlib
import io
import os
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from monai_tumor.errors import WrongCallError

_FORMATS = {".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF"}
# Level 3 takes a third of the time of Pillow's default, for files that are 4 % larger (ultrasound images).
_OPTIONS: dict[str, dict[str, Any]] = {"PNG": {"compress_level": 3}, "TIFF": {"compression": "tiff_deflate"}}


def write_mask(path: str | os.PathLike[str], mask: NDArray[Any], overwrite: bool = False) -> None:
    """Write a mask as an 8-bit grey file of 0 and 255 (PNG, or TIFF by its suffix).

    Args:
        path: File to write; its folder is made.
        mask: (rows, columns); everything but 0 is foreground.
        overwrite: Replace an existing file.

    Raises:
        WrongCallError: The file exists, or cannot be written.
    """
    write_bytes(path, _encode(np.where(mask != 0, np.uint8(255), np.uint8(0)), path), overwrite)


def write_picture(
    path: str | os.PathLike[str], picture: NDArray[np.unsignedinteger[Any]], overwrite: bool = False
) -> None:
    """Write a picture without loss (PNG, or TIFF by its suffix).

    Args:
        path: File to write; its folder is made.
        picture: (rows, columns), (rows, columns, 3) RGB or (rows, columns, 4) RGBA, uint8; or (rows, columns), uint16.
        overwrite: Replace an existing file.

    Raises:
        WrongCallError: The file exists, or cannot be written.
    """
    write_bytes(path, _encode(picture, path), overwrite)


def write_text(path: str | os.PathLike[str], text: str, overwrite: bool = False) -> None:
    """Write text as UTF-8 with plain line ends.

    Args:
        path: File to write; its folder is made.
        text: The whole content.
        overwrite: Replace an existing file.

    Raises:
        WrongCallError: The file exists, or cannot be written.
    """
    write_bytes(path, text.encode("utf-8"), overwrite)


def write_bytes(path: str | os.PathLike[str], content: bytes, overwrite: bool = False) -> None:
    """Write bytes to a temporary name in the same folder, then rename: a reader sees all of the file or none.

    Args:
        path: File to write; its folder is made.
        content: The whole content.
        overwrite: Replace an existing file.

    Raises:
        WrongCallError: The file exists, or cannot be written.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex}.part")
    _refuse_existing(target, overwrite)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        _refuse_existing(target, overwrite)  # somebody may have been faster
        os.replace(temporary, target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise WrongCallError(f"{target} cannot be written: {reason}; choose a folder with space and rights") from error
    finally:
        _remove(temporary)


def refuse_target(path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Refuse a file that could not be written, before hours are spent on what is to stand in it.

    Raises:
        WrongCallError: The file exists, or this user may not write where it is to lie.
    """
    target = Path(path)
    _refuse_existing(target, overwrite)
    parent = next(folder for folder in target.absolute().parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise WrongCallError(f"{target} cannot be written: no right to write to {parent}; choose another folder")


def _refuse_existing(target: Path, overwrite: bool) -> None:
    if not overwrite and os.path.lexists(target):
        raise WrongCallError(f"{target} exists already and nothing is overwritten unasked; choose another name")


def _remove(temporary: Path) -> None:
    with contextlib.suppress(OSError):  # where the folder itself is out of reach the first error says so
        temporary.unlink(missing_ok=True)


def _encode(array: NDArray[np.unsignedinteger[Any]], path: str | os.PathLike[str]) -> bytes:
    kind = _FORMATS.get(Path(path).suffix.lower())
    if kind is None:
        raise WrongCallError(f"{path} has a suffix that is not written; give one of {', '.join(_FORMATS)}")
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **_OPTIONS[kind])
    return buffer.getvalue()
