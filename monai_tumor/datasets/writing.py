"""What writers of layouts share: cases loaded one after the other, names that differ, and folders that are whole or absent."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case, natural_key
from monai_tumor.datasets import RegisteredDataset, load_case
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.wording import count_of

Result = TypeVar("Result")


def for_each_case(
    dataset: RegisteredDataset,
    cases: Sequence[Case],
    work: Callable[[Case, NDArray[Any], NDArray[np.bool_] | None], Result],
) -> tuple[dict[str, Result], dict[str, str]]:
    """Load every case, several at a time, and hand case, image and reference to ``work``.

    A case that cannot be read, or that ``work`` answers with ``WrongDataError``, is noted and the others go on. All other
    errors, such as a full disk, end everything.

    Returns:
        Case id to what ``work`` returned, and case id to the line that says what is wrong; both in the order of ``cases``.
    """

    def one(case: Case) -> tuple[Result] | WrongDataError:
        try:
            return (work(case, *load_case(dataset, case)),)
        except WrongDataError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoding and encoding release the interpreter lock
        done = {case.id: result for case, result in zip(cases, pool.map(one, cases), strict=True)}
    failed = {name: str(result) for name, result in done.items() if isinstance(result, WrongDataError)}
    return {name: result[0] for name, result in done.items() if not isinstance(result, WrongDataError)}, failed


def refuse_nothing(failed: Mapping[str, str], total: int) -> None:
    """Refuse to write a data set of no case.

    Raises:
        WrongDataError: All cases failed; repeats what is wrong with the first.
    """
    if failed and len(failed) == total:
        raise WrongDataError(
            f"none of {count_of(total, 'case', 'cases')} can be read, nothing was written: {next(iter(failed.values()))}"
        )


def distinct_names(wanted: Mapping[str, str]) -> dict[str, str]:
    """Make the file names of cases differ, capitals aside, because some file systems do not tell them apart.

    The result does not depend on the order of the cases.

    Args:
        wanted: Case id to the name it would have if it were alone.

    Returns:
        Case id to its name. Where several want one, a case whose id it is gets it, else the first in natural order; the
        others get ``-2``, ``-3`` and so on at the end.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for case_id in sorted(wanted, key=lambda name: (wanted[name] != name, natural_key(name))):
        name, number = wanted[case_id], 1
        while name.casefold() in taken:
            number += 1
            name = f"{wanted[case_id]}-{number}"
        taken.add(name.casefold())
        names[case_id] = name
    return names


def refuse_destination(source: str | os.PathLike[str], destination: str | os.PathLike[str]) -> None:
    """Refuse, before anything is read, to write where something is, or into the data set that is read.

    Raises:
        WrongCallError: ``destination`` is a file, a folder that is not empty, or inside of ``source``.
    """
    target, step = Path(destination), "give a new folder"
    if os.path.lexists(target) and not target.is_dir():
        raise WrongCallError(f"{target} is a file, expected a folder to write to; {step}")
    if target.is_dir() and any(target.iterdir()):
        raise WrongCallError(f"{target} is not empty and nothing is overwritten or mixed; {step}")
    if Path(source).resolve() in (target.resolve(), *target.resolve().parents):
        raise WrongCallError(f"{target} lies in {source}, which would then contain its own copy; {step} elsewhere")


@contextlib.contextmanager
def staged(destination: str | os.PathLike[str], last: str) -> Iterator[Path]:
    """Yield a hidden folder in ``destination``; what was written there moves up when the block ends well.

    An interrupted writer leaves nothing that a data set would read: no other place than ``destination`` is needed, which
    may be a mounted disk.

    Args:
        destination: Folder that is empty or does not exist.
        last: The file that makes the layout complete; moves after all others.

    Raises:
        WrongCallError: It cannot be written to.
    """
    target = Path(destination)
    stage, made = target / f".{uuid.uuid4().hex}.part", not target.exists()
    try:
        with _writing_to(target):
            stage.mkdir(parents=True)
        yield stage
        with _writing_to(target):
            for entry in sorted(stage.iterdir(), key=lambda entry: entry.name == last):
                entry.rename(target / entry.name)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if made:
            with contextlib.suppress(OSError):  # not empty: all went well
                target.rmdir()


@contextlib.contextmanager
def _writing_to(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise WrongCallError(f"{target} cannot be written: {reason}; choose a folder with space and rights") from error
