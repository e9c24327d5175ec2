"""A folder of predicted masks: ``<case>.png`` each, and ``masks.json``, which says what the networks had seen.

The folder ``predictions`` of a segmentation's test on other data is one as well: that test was refused if its network had seen
a case or its group. Its own test part, or out-of-fold cases, would not do: the networks that drew the masks of a classifier's
training images must not have seen its test images either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.evaluation.folder import identity_of
from monai_tumor.imaging.read import read_mask
from monai_tumor.training.record import file_sha256

ORIGIN = "masks.json"
_UNSEEN = ("external", "calibration")  # parts that are refused where the network has seen their images or groups


class PredictedMasks:
    """The masks that stage one predicted. Nothing is looked at before it is asked for.

    Args:
        folder: Where they lie; None where nobody named a folder, which is refused at the first use.
    """

    def __init__(self, folder: str | None) -> None:
        self._given = folder

    def folder(self) -> Path:
        """Return the folder.

        Raises:
            WrongCallError: No folder was given, or it holds no predicted masks.
        """
        if self._given is None:
            raise WrongCallError("mask_source 'out_of_fold' needs the folder of predicted masks; give it as masks=DIR")
        if not isinstance(self._given, str | Path):
            raise WrongCallError(f"masks is {self._given!r}, expected the folder of predicted masks")
        folder = Path(self._given)
        if not (folder / ORIGIN).is_file() and identity_of(folder.parent).get("part") not in _UNSEEN:
            raise WrongCallError(
                f"masks: {self._given} has no {ORIGIN} and belongs to no test of a segmentation on other data, so nobody knows "
                "what its network had seen; give the masks of stage one, or the folder 'predictions' of a test on other data"
            )
        return folder

    def file(self, case: str) -> Path:
        """Return the file of a case.

        Raises:
            WrongCallError: As for ``folder``.
            WrongDataError: The case has no mask there.
        """
        path = self.folder() / f"{case}.png"
        if not path.is_file():
            raise WrongDataError(
                f"{path} does not exist: case {case!r} has no predicted mask; predict it, or mend masks"
            )
        return path

    def read(self, case: str, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Return the mask of a case, bool (rows, columns).

        Args:
            case: Its id.
            shape: Rows and columns of its image.

        Raises:
            WrongDataError: There is none, it cannot be read, or it has another size.
        """
        path = self.file(case)
        mask = read_mask(path)
        if mask.shape != shape:
            raise WrongDataError(
                f"mask {path} has {mask.shape[0]} x {mask.shape[1]} pixels but the image of case {case!r} has "
                f"{shape[0]} x {shape[1]}; predict it again from this image"
            )
        return mask

    def digest(self, cases: Iterable[str]) -> str:
        """Return one sha256 of the masks of cases.

        Raises:
            WrongCallError: As for ``folder``.
            WrongDataError: As for ``check``.
        """
        wanted, state = sorted(cases), hashlib.sha256()
        self.check(wanted)
        for case in wanted:
            state.update(f"{case}\n{file_sha256(self.file(case))}\n".encode())
        return state.hexdigest()

    def check(self, cases: Iterable[str]) -> None:
        """Refuse cases without a mask, before anything is trained.

        Raises:
            WrongCallError: As for ``folder``.
            WrongDataError: Says how many have none and names the first.
        """
        folder, wanted = self.folder(), list(cases)
        missing = [case for case in wanted if not (folder / f"{case}.png").is_file()]
        if missing:
            raise WrongDataError(
                f"{len(missing)} of {len(wanted)} cases have no mask in {folder} ({missing[0]!r} first); predict them, or give "
                "the folder that belongs to this data set"
            )
