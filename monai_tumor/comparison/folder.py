"""The folder of a comparison: what it was begun with, kept so that nothing else is mixed into it later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from monai_tumor.comparison.methods import SETTINGS_FOLDER, ComparedMethod
from monai_tumor.comparison.plan import Plan
from monai_tumor.errors import WrongCallError
from monai_tumor.folds.division import given_folds, open_fitting
from monai_tumor.folds.frozen import FrozenFolder
from monai_tumor.imaging.write import write_bytes


class ComparisonFolder(FrozenFolder):
    """``OUT``: ``split.json``, ``METHOD/fold-K`` and ``comparison-settings/`` with copies of bundle and recipes.

    Every training reads the copies, so that editing a bundle or recipe in the meantime changes no comparison.

    Args:
        path: The folder; it need not exist.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path, "comparison", SETTINGS_FOLDER)

    @property
    def methods(self) -> list[str]:
        """The names of all methods ever compared here, the first one first."""
        return list(self.begun.get("methods", ()))

    def run(self, method: str, fold: int) -> Path:
        """Return the folder of one training."""
        return self.path / method / f"fold-{fold}"

    def method(self, method: ComparedMethod) -> ComparedMethod:
        """Return the method with the copy of its overlay."""
        return method if method.overlay is None else replace(method, overlay=self._copy_of(method))

    def open(self, plan: Plan, only_folds: Sequence[int] | None = None) -> None:
        """Begin with a plan, or go on with it; methods may be added.

        Args:
            plan: What to compare.
            only_folds: Folds that are to be run; nothing is written where there is no such fold.

        Raises:
            WrongCallError: It was begun with something else; the message names it. Or the folder holds other things.
        """
        plan.check()
        if self.is_begun:
            self.read()
            self._refuse_other(plan)
            open_fitting(self.begun["dataset"], plan.dataset_dir)
            _refuse_folds(only_folds, self.begun["folds"])
        else:
            self._begin(plan, only_folds)
        methods: dict[str, Any] = {**self.begun["methods"], **{one.name: one.described() for one in plan.methods}}
        if methods != self.begun["methods"]:
            for one in plan.methods:
                if one.overlay is not None:
                    write_bytes(self._copy_of(one), one.overlay.read_bytes(), overwrite=True)
            self.begun["methods"] = methods
            self.save()

    def _copy_of(self, method: ComparedMethod) -> Path:
        return self.settings / "recipes" / f"{method.name}.json"

    def _begin(self, plan: Plan, only_folds: Sequence[int] | None) -> None:
        """Cut the folds first: it reads every file, and nothing is written where that fails."""
        self.refuse_foreign()
        split = plan.divided()
        _refuse_folds(only_folds, split.folds)
        self.begin(split, plan.bundle, plan.described())
        self.begun["methods"] = {}

    def _refuse_other(self, plan: Plan) -> None:
        now = {**plan.described(), **self._data_of(plan)}
        now |= {f"method {one.name}": _content(one.described()) for one in plan.methods}
        methods = {f"method {name}": _content(one) for name, one in self.begun["methods"].items()}
        self.refuse_other(now, {**self.begun, **methods})

    def _data_of(self, plan: Plan) -> Mapping[str, Any]:
        known: dict[str, Any] = {"folds": plan.folds} if plan.split is None else {}
        if plan.split is not None:
            known["split"] = given_folds(plan.split, plan.dataset).hash
        return known if plan.dataset is None else {**known, "dataset": plan.dataset}


def _refuse_folds(only: Sequence[int] | None, count: int) -> None:
    for fold in only or ():
        if not 0 <= fold < count:
            raise WrongCallError(f"fold {fold} is not one of the {count} folds; give folds from 0 to {count - 1}")


def _content(described: Mapping[str, Any]) -> str:
    return str(described.get("sha256") or described["network"])
