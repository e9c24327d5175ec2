"""A folder of several trainings: what it was begun with is kept, so that nothing else is mixed into it later."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monai_tumor.bundles.find import configs_folder
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.write import write_bytes, write_text
from monai_tumor.splits.split import Split, read_split, write_split

try:
    import fcntl
except ImportError:  # Windows has no flock: two at work in one folder are then not noticed
    fcntl = None  # type: ignore[assignment]

_VERSION = 1


class FrozenFolder:
    """``split.json``, and a folder of settings with a copy of the bundle that all trainings read.

    Editing a bundle in the meantime changes nothing here.

    Args:
        path: The folder; it need not exist.
        noun: What it is called in messages.
        settings: Name of the folder of settings.
    """

    def __init__(self, path: str | Path, noun: str, settings: str) -> None:
        self.path, self.noun, self.settings = Path(path), noun, Path(path) / settings
        self.begun: dict[str, Any] = {}
        self._lock: int | None = None

    @property
    def inherited(self) -> tuple[int, ...]:
        """What every process started here inherits: the lock lasts as long as one of them runs, whatever ends this one."""
        return () if self._lock is None else (self._lock,)

    @property
    def split_file(self) -> Path:
        """The folds of all trainings."""
        return self.path / "split.json"

    @property
    def split(self) -> Split:
        """The folds, read and checked."""
        return read_split(self.split_file)

    @property
    def bundle(self) -> Path:
        """The copy of the bundle's configuration."""
        return self.settings / "bundle"

    @property
    def is_begun(self) -> bool:
        """Whether there is something to go on with."""
        return self.settings_file.is_file()

    @property
    def settings_file(self) -> Path:
        """What it was begun with."""
        return self.settings / "settings.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others out while this process or one that has ``inherited`` works, however it ends.

        Raises:
            WrongCallError: There is one at work.
        """
        handle = None if fcntl is None else os.open(self.settings, os.O_RDONLY)
        try:
            if handle is not None:
                self._take(handle)
            self._lock = handle
            yield
        finally:
            self._lock = None
            if handle is not None:
                os.close(handle)

    def refuse_foreign(self) -> None:
        """Refuse a folder that holds other things than what a killed beginning leaves.

        Raises:
            WrongCallError: It holds something else.
        """
        others = {entry.name for entry in self.path.iterdir()} if self.path.is_dir() else set()
        if others - {self.split_file.name, self.settings.name}:
            raise WrongCallError(f"{self.path} is not empty and no {self.noun} was begun there; give another folder")

    def begin(self, split: Split, bundle: Path, described: Mapping[str, Any]) -> None:
        """Write the folds and the copy of the bundle; ``begun`` says what they are, and ``save`` writes it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WrongCallError(f"folder {self.path} cannot be made: {error.strerror}; give another folder") from error
        if not self.split_file.is_file() or self.split.hash != split.hash:
            write_split(self.split_file, split)
        source = configs_folder(bundle)
        for file in [*source.glob("*.json"), *source.glob("*.conf"), *bundle.glob("LICENSE")]:
            write_bytes(self.bundle / file.name, file.read_bytes(), overwrite=True)
        known = {"dataset": split.dataset, "split": split.hash, "folds": split.folds}
        self.begun = {"version": _VERSION, **described, **known}

    def save(self) -> None:
        """Write what it was begun with."""
        write_text(self.settings_file, json.dumps(self.begun, indent=1) + "\n", overwrite=True)

    def read(self) -> None:
        """Read what it was begun with.

        Raises:
            WrongDataError: It cannot be read, or another version wrote it.
        """
        try:
            self.begun = json.loads(self.settings_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise WrongDataError(f"{self.settings_file} cannot be read ({error}); give another folder") from error
        if self.begun.get("version") != _VERSION:
            raise WrongDataError(f"{self.settings_file} has version {self.begun.get('version')}, expected {_VERSION}")

    def refuse_other(self, now: Mapping[str, Any], begun: Mapping[str, Any]) -> None:
        """Refuse to go on with something else.

        Args:
            now: What is asked for; only what is in ``begun`` as well is compared.
            begun: What it was begun with.

        Raises:
            WrongCallError: Names what differs.
            WrongDataError: The split file was exchanged.
        """
        if now["bundle_sha256"] != begun["bundle_sha256"] and now["bundle"] == begun["bundle"]:
            raise WrongCallError(
                f"the files of bundle {now['bundle']!r} are not those that {self.path} was begun with; give another folder, or "
                f"{self.bundle} as BUNDLE to go on as begun"
            )
        for name, value in now.items():
            if name in begun and value != begun[name]:
                raise WrongCallError(f"{self.path} was begun with {_told(name, begun, value)}; give another folder")
        if self.split.hash != begun["split"]:
            raise WrongDataError(f"{self.split_file} is not the split that {self.path} was begun with; put it back")

    def _take(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another {self.noun} works in {self.path}, or a training that it began; wait for it, or stop it"
            raise WrongCallError(message) from error


def configuration_digest(bundle: Path) -> str:
    """Return one sha256 of all configuration files of a bundle."""
    digest = hashlib.sha256()
    for path in sorted(configs_folder(bundle).glob("*.json")):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def overlay_digest(content: Mapping[str, Any]) -> str:
    """Return the sha256 of a recipe's content, whatever the layout of its file."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("ascii")).hexdigest()


def _told(name: str, begun: Mapping[str, Any], value: Any) -> str:
    long = name in ("split", "bundle_sha256") or name.startswith("method")
    return f"another {name}" if long else f"{name} {json.dumps(begun[name])}, not {json.dumps(value)}"
