"""The folder of a comparison: what it was begun with, kept so that nothing else is mixed into it later."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from monai_tumor.bundles.find import configs_folder
from monai_tumor.comparison.methods import SETTINGS_FOLDER, ComparedMethod
from monai_tumor.comparison.plan import Plan, given_folds
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.write import write_bytes, write_text
from monai_tumor.splits.split import Split, read_split, write_split

try:
    import fcntl
except ImportError:  # Windows has no flock: two comparisons in one folder are then not noticed
    fcntl = None  # type: ignore[assignment]

_VERSION = 1


class ComparisonFolder:
    """``OUT``: ``split.json``, ``METHOD/fold-K`` and ``comparison-settings/`` with copies of bundle and recipes.

    Every training reads the copies, so that editing a bundle or recipe in the meantime changes no comparison.

    Args:
        path: The folder; it need not exist.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.begun: dict[str, Any] = {}
        self._lock: int | None = None

    @property
    def inherited(self) -> tuple[int, ...]:
        """What every process started here inherits: the lock lasts as long as one of them runs, whatever ends this one."""
        return () if self._lock is None else (self._lock,)

    @property
    def split_file(self) -> Path:
        """The folds of all methods."""
        return self.path / "split.json"

    @property
    def bundle(self) -> Path:
        """The copy of the bundle's configuration."""
        return self.path / SETTINGS_FOLDER / "bundle"

    @property
    def split(self) -> Split:
        """The folds, read and checked."""
        return read_split(self.split_file)

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
        if self._settings_file.is_file():
            self.begun = self._read()
            self._refuse_other(plan)
            plan.open_data(self.begun["dataset"])
            _refuse_folds(only_folds, self.begun["folds"])
        else:
            self._begin(plan, only_folds)
        methods: dict[str, Any] = {**self.begun["methods"], **{one.name: one.described() for one in plan.methods}}
        if methods != self.begun["methods"]:
            for one in plan.methods:
                if one.overlay is not None:
                    write_bytes(self._copy_of(one), one.overlay.read_bytes(), overwrite=True)
            self.begun["methods"] = methods
            write_text(self._settings_file, json.dumps(self.begun, indent=1) + "\n", overwrite=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second comparison out while this one or a process that has ``inherited`` works, however it ends.

        Raises:
            WrongCallError: There is one at work.
        """
        handle = None if fcntl is None else os.open(self.path / SETTINGS_FOLDER, os.O_RDONLY)
        try:
            if handle is not None:
                _lock(handle, self.path)
            self._lock = handle
            yield
        finally:
            self._lock = None
            if handle is not None:
                os.close(handle)

    @property
    def _settings_file(self) -> Path:
        return self.path / SETTINGS_FOLDER / "settings.json"

    def _copy_of(self, method: ComparedMethod) -> Path:
        return self.path / SETTINGS_FOLDER / "recipes" / f"{method.name}.json"

    def _begin(self, plan: Plan, only_folds: Sequence[int] | None) -> None:
        """Cut the folds first: it reads every file, and nothing is written where that fails."""
        others = {entry.name for entry in self.path.iterdir()} if self.path.is_dir() else set()
        if others - {"split.json", SETTINGS_FOLDER}:
            raise WrongCallError(f"{self.path} is not empty and no comparison was begun there; give another folder")
        split = plan.divided()
        _refuse_folds(only_folds, split.folds)
        self._make()
        if not self.split_file.is_file() or self.split.hash != split.hash:
            write_split(self.split_file, split)
        source = configs_folder(plan.bundle)
        for file in [*source.glob("*.json"), *source.glob("*.conf"), *plan.bundle.glob("LICENSE")]:
            write_bytes(self.bundle / file.name, file.read_bytes(), overwrite=True)
        known = {"dataset": split.dataset, "split": split.hash, "folds": split.folds}
        self.begun = {"version": _VERSION, **plan.described(), **known, "methods": {}}

    def _make(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WrongCallError(f"folder {self.path} cannot be made: {error.strerror}; give another folder") from error

    def _read(self) -> dict[str, Any]:
        try:
            begun: dict[str, Any] = json.loads(self._settings_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise WrongDataError(f"{self._settings_file} cannot be read ({error}); give another folder") from error
        if begun.get("version") != _VERSION:
            raise WrongDataError(f"{self._settings_file} has version {begun.get('version')}, expected {_VERSION}")
        return begun

    def _refuse_other(self, plan: Plan) -> None:
        now = {**plan.described(), **self._data_of(plan)}
        if now.pop("bundle_sha256") != self.begun["bundle_sha256"] and now["bundle"] == self.begun["bundle"]:
            raise WrongCallError(
                f"the files of bundle {now['bundle']!r} are not those that {self.path} was begun with; give another folder, or "
                f"{self.bundle} as BUNDLE to go on as begun"
            )
        now |= {f"method {one.name}": _content(one.described()) for one in plan.methods}
        begun = {**self.begun, **{f"method {name}": _content(one) for name, one in self.begun["methods"].items()}}
        for name, value in now.items():
            if name in begun and value != begun[name]:
                raise WrongCallError(f"{self.path} was begun with {_told(name, begun, value)}; give another folder")
        if self.split.hash != self.begun["split"]:
            raise WrongDataError(f"{self.split_file} is not the split that {self.path} was begun with; put it back")

    def _data_of(self, plan: Plan) -> Mapping[str, Any]:
        known: dict[str, Any] = {"folds": plan.folds} if plan.split is None else {}
        if plan.split is not None:
            known["split"] = given_folds(plan.split, plan.dataset).hash
        return known if plan.dataset is None else {**known, "dataset": plan.dataset}


def _lock(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        message = f"another comparison works in {path}, or a training that it began; wait for it, or stop it"
        raise WrongCallError(message) from error


def _refuse_folds(only: Sequence[int] | None, count: int) -> None:
    for fold in only or ():
        if not 0 <= fold < count:
            raise WrongCallError(f"fold {fold} is not one of the {count} folds; give folds from 0 to {count - 1}")


def _content(described: Mapping[str, Any]) -> str:
    return str(described.get("sha256") or described["network"])


def _told(name: str, begun: Mapping[str, Any], value: Any) -> str:
    long = name == "split" or name.startswith("method")
    return f"another {name}" if long else f"{name} {json.dumps(begun[name])}, not {json.dumps(value)}"
