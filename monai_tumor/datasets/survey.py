"""Every case read once: what a split needs to know about it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from monai_tumor.cases import Case
from monai_tumor.datasets import RegisteredDataset, content_digest
from monai_tumor.errors import ToolkitError, WrongDataError


def survey(dataset: RegisteredDataset, cases: Sequence[Case]) -> tuple[dict[str, str], dict[str, bool | None]]:
    """Read every case once: its content digest, and whether its reference has a lesion (None without a reference).

    Raises:
        WrongDataError: Files that cannot be read; the first three are named, with the count.
    """

    def look(case: Case) -> tuple[str, bool | None] | ToolkitError:
        try:
            reference = dataset.load(case)[1] if case.masks else None
            lesion = None if case.masks is None else bool(reference is not None and reference.any())
            return content_digest(dataset, case), lesion
        except ToolkitError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoding releases the interpreter lock
        seen = list(pool.map(look, cases))
    raise_unreadable([entry for entry in seen if isinstance(entry, ToolkitError)], len(cases))
    good = [entry for entry in seen if not isinstance(entry, ToolkitError)]
    digests = {case.id: entry[0] for case, entry in zip(cases, good, strict=True)}
    return digests, {case.id: entry[1] for case, entry in zip(cases, good, strict=True)}


def raise_unreadable(errors: Sequence[ToolkitError], total: int) -> None:
    """Raise one error that names the first unreadable files, if there are any.

    Raises:
        WrongDataError: ``errors`` is not empty.
    """
    if errors:
        named = "; ".join(str(error) for error in errors[:3])
        more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
        raise WrongDataError(
            f"{len(errors)} of {total} cases cannot be read: {named}{more}. Mend or remove these files"
        )
