"""What one input may cost, checked before anything is decoded."""

from __future__ import annotations

import contextlib
import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monai_tumor.errors import ToolkitError, WrongDataError

_MEGABYTE = 1024 * 1024
_TALKATIVE = ("pydicom", "nibabel", "nibabel.global", "PIL", "tifffile")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on untrusted input.

    Attributes:
        decoded_bytes: Largest stack of pixels that is decoded from one input.
        header_bytes: Largest deflated data set that is inflated for its header, and largest text header.
        members: Most files of one archive.
        unpacked_bytes: Most bytes that one archive may unpack to.
        ratio: Highest compression of an archive's large members; 100 is beyond what images reach.
    """

    decoded_bytes: int = 2048 * _MEGABYTE
    header_bytes: int = 256 * _MEGABYTE
    members: int = 20_000
    unpacked_bytes: int = 8192 * _MEGABYTE
    ratio: int = 100


STANDARD = Limits()


def check_decoded(name: str, shape: Sequence[int], item_bytes: int, limits: Limits = STANDARD) -> int:
    """Return the bytes of a decoded array, or refuse it before it is allocated.

    Args:
        name: What the input is called.
        shape: Frames, rows, columns, samples: whole numbers of any size.
        item_bytes: Bytes of one value.
        limits: The bounds.

    Raises:
        WrongDataError: A side is below 1, or the array is larger than the limit.
    """
    sides = " x ".join(map(str, shape))
    if min(shape) < 1:
        raise WrongDataError(f"{name} claims {sides} values, expected at least 1 along each axis; it is broken")
    total = math.prod(map(int, shape)) * item_bytes
    if total > limits.decoded_bytes:
        allowed = limits.decoded_bytes // _MEGABYTE
        raise WrongDataError(
            f"{name} claims {sides} values ({total // _MEGABYTE:,} MB), more than the {allowed:,} MB that are decoded; "
            "it is broken, or cut it into parts"
        )
    return total


@contextlib.contextmanager
def guarded(name: str, what: str) -> Iterator[None]:
    """Turn whatever a library raises on a damaged file into one line without the library's words, and keep it silent.

    Their messages, warnings and logs repeat header values, and header values are the patient's.

    Raises:
        WrongDataError: Anything but an error of ours or the end of memory was raised inside.
    """
    try:
        with quiet_libraries():
            yield
    except (ToolkitError, MemoryError):
        raise
    except Exception as error:
        reason = f"{what} cannot be read ({type(error).__name__})"
        raise WrongDataError(f"{name} is damaged: {reason}; copy or export it again") from None


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Let libraries neither warn nor log inside."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before = [logger.disabled for logger in loggers]
    try:
        for logger in loggers:
            logger.disabled = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
