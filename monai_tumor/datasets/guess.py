"""Which data set a folder is: every registered one is asked, and the surest wins."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monai_tumor import registry
from monai_tumor.datasets import RegisteredDataset, open_dataset
from monai_tumor.datasets.layout import contents_of, found_tree, probably, problem_of, right_folders
from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError

GENERAL = "folder"
"""The data set that reads any images and masks; it yields to none, because the others may say more than the files do."""


def guess_dataset(root: str | os.PathLike[str] | None) -> str:
    """Return the name of the data set that is the surest of a folder.

    Where nobody is certain and ``folder`` is among the surest, it is ``folder``, and the others are named on stderr.

    Raises:
        WrongCallError: No folder was given, or several data sets are equally sure.
        WrongDataError: It is no folder with something in it that can be read, or no data set recognises it.
    """
    if root is None or not os.fspath(root):
        raise WrongCallError("no folder was given; name the folder of the data set, or a data set without files")
    folder = Path(root)
    if (problem := problem_of(folder)) is not None:
        raise WrongDataError(f"{folder} {problem}")
    panel = _Panel.assembled()
    best, sureness = panel.surest(folder)
    if not best:
        raise panel.refusal(folder)
    if len(best) > 1 and (GENERAL not in best or sureness >= 1):
        raise WrongCallError(f"{folder} fits {_listed(best)} equally well; say which: --dataset {best[0]}")
    chosen = GENERAL if GENERAL in best else best[0]
    if chosen == GENERAL and sureness < 1:
        _tell(folder, [name for name in best if name != GENERAL], panel)
    return chosen


def _tell(folder: Path, others: Sequence[str], panel: _Panel) -> None:
    """Say on stderr what gets lost when a folder is read without knowing what it is."""
    told = f"it is read as {GENERAL!r}, where each image is a group of its own"
    parent = folder.absolute().parent
    owners, sureness = panel.surest(parent)
    if others:
        step = f"give --dataset {others[0] if len(others) == 1 else 'NAME'} if its rules for patients are right"
        print(f"NOTE: {folder} fits {_listed(others)} as well; {told}: {step}{panel.unasked()}", file=sys.stderr)
    elif sureness >= 1:
        step = f"give {parent} to keep what {_listed(owners)} knows of patients and labels"
        print(f"NOTE: {folder} is a part of the data set {parent}; {told}: {step}{panel.unasked()}", file=sys.stderr)
    elif panel.broken:
        print(f"NOTE: {folder}: {told}{panel.unasked()}", file=sys.stderr)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names)


@dataclass
class _Panel:
    """All data sets that lie in files.

    Attributes:
        members: Name to data set.
        broken: Names of those that cannot be loaded or asked.
        error: The first error of a data set that was asked, such as a folder that may not be read.
    """

    members: dict[str, RegisteredDataset] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    error: ToolkitError | None = None

    @classmethod
    def assembled(cls) -> _Panel:
        """Load every registered data set; a broken plug-in is noted."""
        panel, listed = cls(), registry.components("datasets")
        names = [item.name for item in listed]
        for item in listed:
            full = f"{item.distribution}:{item.name}"
            name = item.name if names.count(item.name) == 1 else full
            try:
                dataset = open_dataset(full)
                if dataset.layout:
                    panel.members[name] = dataset
            except Exception:  # a guest may fail in any way; plugins check says how
                panel.broken.append(name)
        return panel

    def surest(self, folder: Path) -> tuple[list[str], float]:
        """Return who is the surest of a folder, and how sure; nobody where none is at all."""
        sureness = {name: self._ask(name, folder) for name in list(self.members)}
        most = max(sureness.values(), default=0.0)
        return [name for name, value in sureness.items() if value == most > 0], most

    def refusal(self, folder: Path) -> ToolkitError:
        """Build the error for a folder that nobody recognises: where the right one is, or what is expected."""
        if self.error is not None:
            return self.error
        told = f"{folder} is not the folder of a data set: {contents_of(folder)}{self.unasked()}"
        if right := right_folders(lambda other: self.surest(other)[1], folder):
            return WrongDataError(f"{told}; {probably(right, self._named)}")
        step = "give a folder like one of those below, or install or write a data-set plug-in"
        return WrongDataError(f"{told}; {step}{self._expected()}{found_tree(folder)}")

    def unasked(self) -> str:
        """Say in one clause which data sets are broken; nothing where none is."""
        return (
            f"; not asked, because broken: {', '.join(self.broken)} (monai-tumor plugins check)" if self.broken else ""
        )

    def _named(self, folder: Path) -> str:
        return f"{folder} (data set {' or '.join(self.surest(folder)[0])})"

    def _ask(self, name: str, folder: Path) -> float:
        try:
            return float(self.members[name].recognises(folder))
        except (ToolkitError, OSError) as error:
            self.error = self.error or (error if isinstance(error, ToolkitError) else None)
        except Exception:  # as in ``assembled``
            del self.members[name]
            self.broken.append(name)
        return 0.0

    def _expected(self) -> str:
        width = max(map(len, self.members), default=0)
        lines = [f"  {name.ljust(width)}  {_first_line(dataset.layout)}" for name, dataset in self.members.items()]
        return "\n".join(["\nexpected by each data set (monai-tumor data list):", *lines])


def _first_line(layout: str) -> str:
    lines = textwrap.dedent(layout).strip("\n").splitlines()
    return re.sub(r" {3,}", "  ", lines[0]) + (" ..." if len(lines) > 1 else "")
