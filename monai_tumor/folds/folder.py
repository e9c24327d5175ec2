"""The folder of a fold set: the folds, a run for each, and what they were begun with."""

from __future__ import annotations

from pathlib import Path

from monai_tumor.errors import WrongCallError
from monai_tumor.folds.child import is_finished
from monai_tumor.folds.division import open_fitting
from monai_tumor.folds.frozen import FrozenFolder
from monai_tumor.folds.plan import FoldPlan
from monai_tumor.imaging.write import write_bytes
from monai_tumor.splits.split import Split

_SETTINGS_FOLDER = "fold-settings"


class FoldSetFolder(FrozenFolder):
    """``SET``: ``split.json``, ``fold-0`` and so on, and ``fold-settings/`` with copies of bundle and recipe.

    Every training reads the copies. When all folds are trained, ``SET`` becomes a trained bundle (see ``join_folds``).

    Args:
        path: The folder; it need not exist.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path, "cross-validation", _SETTINGS_FOLDER)

    @property
    def runs(self) -> list[Path]:
        """The runs of all folds, fold 0 first, whether they exist or not."""
        return [self.path / f"fold-{fold}" for fold in range(self.begun["folds"])]

    @property
    def unfinished(self) -> list[Path]:
        """The runs that are still to be trained."""
        return [run for run in self.runs if not is_finished(run)]

    @property
    def recipe(self) -> Path | None:
        """The copy of the recipe."""
        name = self.begun["recipe"]
        return None if name is None else self.settings / "recipes" / f"{name}.json"

    def start(self, plan: FoldPlan, split: Split) -> None:
        """Begin with a plan and its folds.

        Raises:
            WrongCallError: The folder cannot be written.
        """
        self.begin(split, plan.bundle, plan.described())
        if plan.recipe is not None and self.recipe is not None:
            write_bytes(self.recipe, plan.recipe.read_bytes(), overwrite=True)
        self.save()

    def go_on(self, plan: FoldPlan) -> None:
        """Go on with the plan that it was begun with.

        Raises:
            WrongCallError: The plan is another one; the message names what differs.
        """
        self.read()
        self.refuse_other({**plan.described(), **plan.asked()}, self.begun)
        open_fitting(self.begun["dataset"], plan.dataset_dir)


def is_fold_set(path: str | Path | None) -> bool:
    """Return whether a folder is a fold set, finished or not."""
    return path is not None and FoldSetFolder(path).is_begun


def refuse_fold_set(root: Path) -> None:
    """Refuse a fold set where a bundle is to be trained: an ensemble is not.

    Raises:
        WrongCallError: The folder is a fold set.
    """
    if is_fold_set(root):
        raise WrongCallError(
            f"{root} is a fold set; train with its settings again by giving one of its runs, {root}/fold-0"
        )


def read_fold_set(path: str | Path) -> FoldSetFolder:
    """Return a fold set with what it was begun with.

    Raises:
        WrongCallError: The folder is none.
    """
    folder = FoldSetFolder(path)
    if not folder.is_begun:
        raise WrongCallError(
            f"{path} is no fold set; begin one with: monai-tumor train BUNDLE --folds 5 --run-dir {path}"
        )
    folder.read()
    return folder
