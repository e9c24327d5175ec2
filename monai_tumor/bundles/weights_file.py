"""Weight files that are to leave the house, or come into it: numbers, and nothing beside them."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np

from monai_tumor.errors import WrongDataError

_MEMBER = re.compile(
    r"(?:archive|model)/(?:data\.pkl|data/\d+|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id)"
)
_ARRAY = re.compile(r"[\w.]{1,80}")


def check_weights(path: Path) -> None:
    """Refuse a ``model.pt`` that is more than a state dict as ``torch.save`` writes it.

    Raises:
        WrongDataError: It holds something else, which nobody could look at.
        WrongCallError: It is damaged.
    """
    from torch import Tensor

    from monai_tumor.training.checkpoint import read_checkpoint

    content = read_checkpoint(path)
    other = [name for name, value in content.items() if not isinstance(name, str) or not isinstance(value, Tensor)]
    if other:
        raise WrongDataError(f"{path} holds {other[0]!r}, which is no tensor; pack weights only")
    with zipfile.ZipFile(path) as archive:
        strange = [name for name in archive.namelist() if not _MEMBER.fullmatch(name)]
        if strange or archive.comment:
            raise WrongDataError(f"{path} holds {(strange or ['a comment'])[0]!r} beside its tensors; save it again")


def check_arrays(path: Path) -> None:
    """Refuse an ``.npz`` file that holds more than numbers.

    Raises:
        WrongDataError: It does, or it is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            wrong = [
                name for name in arrays.files if not _ARRAY.fullmatch(name) or arrays[name].dtype.kind not in "biuf"
            ]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise WrongDataError(f"{path} holds no plain arrays ({error}); write it again") from error
    if wrong:
        raise WrongDataError(f"{path} holds {wrong[0]!r}, which is no array of numbers; write it again")
