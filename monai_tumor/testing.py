"""Contract tests that plug-in authors run on their own components.

In a plug-in's test suite::

    def test_contract(tmp_path):
        write_a_few_files(tmp_path)
        check_dataset(MyDataset(), tmp_path)
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monai_tumor.cases import Case, natural_key
from monai_tumor.errors import WrongDataError
from monai_tumor.registry import API
from monai_tumor.wording import count_of

_TEXTS = ("name", "modality", "organ", "task")
_CASES_LOADED = 5


def check_dataset(dataset: Any, root: str | os.PathLike[str] | None) -> None:
    """Check that a data set keeps its contract: description, cases, pixels, and the answer to a wrong folder.

    Args:
        dataset: The data set, or its class if that can be called without arguments.
        root: A folder of a few cases in its layout; None for a data set without files.

    Raises:
        AssertionError: It does not; says what is wrong and what to do.
        WrongDataError: The data set does not accept ``root``.
    """
    torch_before = "torch" in sys.modules
    dataset = dataset() if isinstance(dataset, type) else dataset
    _check_description(dataset)
    cases = dataset.cases(root)
    _check_cases(cases)
    _expect(list(cases) == list(dataset.cases(root)), "cases(root) gives other cases when it is called again")
    for case in _spread(cases):
        _check_pixels(dataset, case)
    if dataset.layout:
        _check_wrong_folders(dataset)
    _expect(torch_before or "torch" not in sys.modules, "a data set must not import torch; return numpy arrays")


def _check_description(dataset: Any) -> None:
    for attribute in _TEXTS:
        value = getattr(dataset, attribute, None)
        _expect(isinstance(value, str) and bool(value), f"{attribute} is {value!r}; give it a text")
    _expect(isinstance(getattr(dataset, "layout", None), str), "layout is missing; draw the tree, or '' without files")
    _expect(
        isinstance(getattr(dataset, "labels", None), dict), "labels is missing; give a dict, empty if there are none"
    )
    api = getattr(dataset, "api", None)
    _expect(api == API, f"api is {api!r}, the contract version is {API}; set api = {API}")


def _check_cases(cases: Sequence[Case]) -> None:
    _expect(len(cases) > 0, "cases(root) is empty; raise WrongDataError where nothing is found")
    _expect(all(isinstance(case, Case) for case in cases), "cases(root) has items that are not monai_tumor.cases.Case")
    odd = [case.problem for case in cases if case.problem]
    _expect(not odd, f"{len(odd)} ids cannot be used; the first: {odd[:1]}")
    ids = [case.id for case in cases]
    _expect(len(set(ids)) == len(ids), "two cases have one id; return ordered_cases(...), which names them")
    _expect(ids == sorted(ids, key=natural_key), "cases are not sorted by id; return ordered_cases(...)")
    _expect(all(case.group for case in cases), "a case has an empty group; name the patient, or repeat the case id")


def _check_pixels(dataset: Any, case: Case) -> None:
    image, reference = dataset.load(case)
    where = f"load({case.id!r})"
    shape: tuple[int, ...] = getattr(image, "shape", ())
    grey_or_colour = len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)
    _expect(isinstance(image, np.ndarray) and grey_or_colour, f"{where} image has the shape {shape}, not (R, C[, 3])")
    _expect(image.dtype in (np.uint8, np.uint16), f"{where} image is {image.dtype}, expected uint8 or uint16")
    _expect(
        (reference is None) == (case.masks is None), f"{where} reference must be None exactly if case.masks is None"
    )
    if reference is not None:
        _expect(reference.dtype == np.bool_, f"{where} reference is {reference.dtype}, expected bool")
        sizes = f"{reference.shape} on an image of {shape[:2]}"
        _expect(reference.shape == shape[:2], f"{where} reference has the shape {sizes}")
        _expect(
            case.masks != () or not reference.any(), f"{where} has foreground, but case.masks says there is no lesion"
        )
    again = dataset.load(case)[0]
    _expect(np.array_equal(image, again), f"{where} gives other pixels when it is called again")
    files = dataset.source_files(case)
    _expect(all(Path(file).is_file() for file in files), f"source_files of {case.id!r} names a file that is not there")


def _check_wrong_folders(dataset: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        other = Path(name) / "other"
        other.mkdir()
        (other / "notes.txt").write_text("not a data set", encoding="utf-8")
        (Path(name) / "empty").mkdir()
        for folder in (other, Path(name) / "empty", Path(name) / "missing"):
            message = _refusal(dataset, folder)
            lines = [line.strip() for line in dataset.layout.splitlines()]
            shown = all(line in message for line in lines)
            _expect(shown, f"the error for a wrong folder does not show the layout; use wrong_layout(...): {message}")
            _expect(str(folder) in message, f"the error for a wrong folder does not name it: {message}")


def _refusal(dataset: Any, folder: Path) -> str:
    try:
        found = dataset.cases(folder)
    except WrongDataError as error:
        return str(error)
    raise AssertionError(
        f"cases() of a {folder.name!r} folder gave {count_of(len(found), 'case', 'cases')}; raise WrongDataError"
    )


def _spread(cases: Sequence[Case]) -> list[Case]:
    """Return a few cases from the first to the last; loading all of a large set would take too long."""
    places = np.linspace(0, len(cases) - 1, min(_CASES_LOADED, len(cases)))
    return [cases[round(float(place))] for place in places]


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)
