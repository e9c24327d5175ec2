"""Any data set to the layout of the data set ``folder``, without loss."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case, ordered_cases
from monai_tumor.datasets import RegisteredDataset, open_dataset
from monai_tumor.datasets.case_table import NO_REFERENCE, TABLE_NAME, case_table
from monai_tumor.datasets.writing import distinct_names, for_each_case, refuse_nothing, staged
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.write import write_mask, write_picture, write_text


def open_source(name: str, mask_threshold: int | None = None) -> RegisteredDataset:
    """Open a data set that is to be converted.

    Args:
        name: Its registered name.
        mask_threshold: Mask pixels above this value are lesion; None refuses masks of more than two levels.

    Raises:
        WrongCallError: Nobody registers the name, it reads no files, or it has no mask files to cut.
        PluginError: It cannot be loaded.
    """
    dataset: Any = copy.copy(open_dataset(name))  # some are registered as one object for everybody
    if not dataset.layout:
        raise WrongCallError(f"data set {name!r} reads no files; write its cases with: monai-tumor data phantom DIR")
    if mask_threshold is not None:
        if not hasattr(dataset, "mask_threshold"):
            raise WrongCallError(f"data set {name!r} has no mask files to cut; leave --mask-threshold out")
        dataset.mask_threshold = mask_threshold
    opened: RegisteredDataset = dataset
    return opened


def convert_to_folder(
    dataset: RegisteredDataset, cases: Sequence[Case], destination: str | os.PathLike[str]
) -> dict[str, str]:
    """Write cases so that the data set ``folder`` reads them back equal: ids, pixels, references, labels and groups.

    Args:
        dataset: What loads the cases.
        cases: The cases.
        destination: Folder that is empty or does not exist; incomplete files never lie there under their names.

    Returns:
        The cases that were left out: id to the line that says what is wrong.

    Raises:
        WrongCallError: ``destination`` cannot be written to.
        WrongDataError: No case can be read.
    """
    with staged(destination, TABLE_NAME) as root:
        failed = write_folder(dataset, cases, root)
        refuse_nothing(failed, len(cases))
    return failed


def write_folder(dataset: RegisteredDataset, cases: Sequence[Case], root: Path) -> dict[str, str]:
    """Write ``images/ID.png``, ``masks/ID.png`` and, last, ``cases.csv``; an empty reference has no mask file.

    Args:
        dataset: What loads the cases.
        cases: The cases.
        root: Folder to write to; files that exist there are never replaced.

    Returns:
        The cases that were left out: id to the line that says what is wrong.

    Raises:
        WrongCallError: A file exists or cannot be written.
        WrongDataError: Two ids differ by blanks at their ends only, which a table does not keep.
    """
    ordered_cases(replace(case, id=case.id.strip()) for case in cases)
    names = _file_names(case.id for case in cases)

    def write(case: Case, image: NDArray[Any], reference: NDArray[np.bool_] | None) -> str:
        if image.ndim == 3 and image.dtype != np.uint8:
            raise WrongDataError(f"case {case.id!r} has 16-bit colours, which PNG files here do not keep; use 8 bits")
        write_picture(root / f"images/{names[case.id]}.png", image)
        if reference is None or not reference.any():
            return NO_REFERENCE if reference is None else ""
        write_mask(root / f"masks/{names[case.id]}.png", reference)
        return f"masks/{names[case.id]}.png"

    masks, failed = for_each_case(dataset, cases, write)
    written = [case for case in cases if case.id in masks]
    rows = [(case.id, f"images/{names[case.id]}.png", masks[case.id], case.label, case.group) for case in written]
    write_text(root / TABLE_NAME, case_table(rows))
    return failed


def _file_names(case_ids: Iterable[str]) -> dict[str, str]:
    """Return the id as a path; points in the names of folders go, so that none is called like a file."""
    wanted = {}
    for case_id in case_ids:
        *folders, name = PurePosixPath(case_id).parts
        wanted[case_id] = "/".join([*(folder.replace(".", "_") for folder in folders), name])
    return distinct_names(wanted)
