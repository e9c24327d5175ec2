"""What a configuration can learn about the workflow that runs it: its settings, its folder, and mistakes in it.

MONAI 1.6.1 accepts any override, and gives a configuration no way to see its own file or merged text. The workflow is
therefore looked up on the call stack, here and nowhere else: the functions below are called from ``$`` expressions, so
the ``ConfigWorkflow`` that evaluates them is always a caller.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from monai_tumor.bundles.tracking import prepare_tracking, refuse_telemetry, without_tracking
from monai_tumor.errors import ToolkitError, WrongCallError, error_chain, nearest, user_error

# Ids that other MONAI tools put into every workflow (MonaiAlgo: run_name), besides MONAI's own metadata.
_FOREIGN = frozenset({"_meta_", "run_name"})
# Ids that belong to one machine or one call: a run's configuration keeps the bundle's own text for them.
_LOCAL = (
    "bundle_root",
    "dataset_dir",
    "split_file",
    "fold",
    "run_dir",
    "resume",
    "cache_dir",
    "device",
    "output_dir",
    "train#dataset#data",
)
# What a resumed run may be given anew; encoder weights were loaded before its first epoch.
_MAY_DIFFER = ("dataset_name", "epochs", "train#trainer#max_epochs", "network_def#encoder_weights")
# What decides the probabilities of a trained network.
_PREDICTION = ("prepare", "network_def", "precision")
_REFERENCE = re.compile(r"[@%]([A-Za-z_][A-Za-z0-9_]*)")
_MACHINE_PATH = re.compile(r"^(?:/|~|[A-Za-z]:[\\/])")
_MONAI_COMPONENT = "Failed to instantiate component '"
DEBUG_VARIABLE = "MONAI_TUMOR_DEBUG"


def begin() -> None:
    """Check the settings of the running workflow, and make errors of ours one line; ``initialize`` calls this.

    Raises:
        WrongCallError: A setting that no file defines and nothing uses; the message has the nearest one.
    """
    _print_one_line_errors()
    refuse_telemetry()
    workflow = _workflow()
    if workflow is not None:
        settings = _settings(workflow)
        folder = Path(workflow.config_root_path)
        refuse_unknown(settings, known_settings(folder))
        refuse_unknown_inside(settings, folder)
        refuse_other_settings(settings)
        prepare_tracking(workflow.parser)


def prediction_digest() -> str | None:
    """Return one sha256 of the running workflow's settings that decide what is predicted; None outside of one.

    These are ``prepare``, ``network_def`` and ``precision``, which evaluation and prediction have under the same ids.
    """
    return settings_digest(*_PREDICTION)


def settings_digest(*names: str) -> str | None:
    """Return one sha256 of some of the running workflow's settings, before they are resolved; None outside of one."""
    workflow = _workflow()
    if workflow is None:
        return None
    settings = _settings(workflow)
    text = json.dumps({name: settings.get(name) for name in names}, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def running_root() -> Path | None:
    """Return the folder of the bundle whose workflow is running, or None outside of one."""
    workflow = _workflow()
    if workflow is None:
        return None
    folder = Path(workflow.config_root_path)
    return folder.parent if folder.name == "configs" else folder


def refuse_unknown(settings: dict[str, Any], known: set[str]) -> None:
    """Refuse settings that are neither known nor used by another setting.

    Raises:
        WrongCallError: Names the first unknown setting and the nearest known one.
    """
    used = set(_REFERENCE.findall(json.dumps(settings, default=str)))
    for name in settings:
        if name not in known | used | _FOREIGN:
            guess = nearest(str(name), known)
            hint = f"did you mean {guess!r}?" if guess else "see 'monai-tumor bundle show' for all settings"
            raise WrongCallError(f"unknown setting {name!r}; {hint}")


def refuse_unknown_inside(settings: dict[str, Any], folder: Path) -> None:
    """Refuse a new key in a dictionary of ``train.json`` that names no ``_target_`` and that nothing refers to.

    Raises:
        WrongCallError: Names the first such key and the nearest known one.
    """
    original = _read(folder / "train.json") if (folder / "train.json").is_file() else {}
    text = json.dumps(settings, default=str)
    for path in folder.glob("*.json"):
        text += path.read_text(encoding="utf-8")  # what an overlay of the bundle adds is known

    def look(now: Any, known: Any, place: str) -> None:
        if not isinstance(now, dict) or not isinstance(known, dict):
            return
        for key, value in now.items():
            name = f"{place}#{key}"
            if key in known:
                look(value, known[key], name)
            elif place and "_target_" not in known and name not in text and name.replace("#", "::") not in text:
                guess = nearest(key, known)
                hint = f"did you mean {place}#{guess}?" if guess else f"{place} has {', '.join(known)}"
                raise WrongCallError(f"unknown setting {name!r}; {hint}")

    for top in settings:
        look(settings[top], original.get(top), top)


def known_settings(folder: Path) -> set[str]:
    """Return the top-level ids of all configuration files in ``folder``."""
    known: set[str] = set()
    for path in folder.glob("*.json"):
        if path.name != "metadata.json":
            content = json.loads(path.read_text(encoding="utf-8"))
            known |= {re.split("#|::", name)[0].lstrip("+") for name in content}
    return known


class ConfigurationWriter:
    """Writes the configuration of the running workflow into a run, as used, merged and portable.

    Args:
        dataset_name: The data set that is really used; a run never falls back to the phantom silently.
        network: What ``network_def`` became.
        metadata: What the metadata of this run says otherwise than that of its bundle, ``network_data_format#inputs#image``
            style; such as the classes, where a setting names them.
    """

    def __init__(self, dataset_name: str, network: Any = None, metadata: Mapping[str, Any] | None = None) -> None:
        workflow = _workflow()
        self.folder = Path(workflow.config_root_path) if workflow is not None else None
        self.settings = _settings(workflow) if workflow is not None else {}
        self.dataset_name, self.network, self.metadata = dataset_name, network, dict(metadata or {})

    def __call__(self, run: Path) -> None:
        """Write ``configs/`` and ``LICENSE`` of ``run``."""
        from monai_tumor.imaging.write import write_text  # brings image libraries, which a command line need not load

        if self.folder is None:
            return
        train = self._portable(_read(self.folder / "train.json"))
        for path in sorted([*self.folder.glob("*.json"), *self.folder.glob("*.conf")]):
            text = path.read_text(encoding="utf-8")
            if path.name == "train.json":
                text = _text(train)
            elif path.name == "inference.json":
                text = _text(self._follow(_read(path), train))
            elif path.name == "metadata.json":
                text = _text(self._described(_read(path)))
            write_text(run / "configs" / path.name, text)
        root = self.folder.parent if self.folder.name == "configs" else self.folder
        if (root / "LICENSE").is_file():
            write_text(run / "LICENSE", (root / "LICENSE").read_text(encoding="utf-8"))

    def _portable(self, original: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in without_tracking(self.settings).items() if name not in _FOREIGN}
        for name in local_settings(self.folder):
            _restore(kept, original, name.split("#"))
        kept["dataset_name"] = self.dataset_name
        if isinstance(kept.get("network_def"), dict) and kept["network_def"].get("encoder_weights") is not None:
            kept["network_def"].update(self._without_encoder_weights())
        return {name: without_machine_paths(value) for name, value in kept.items()}

    def _without_encoder_weights(self) -> dict[str, Any]:
        """Return what the encoder weights decided; ``models/model.pt`` holds them now, ``run.json`` says which they were."""
        decided: dict[str, Any] = {"encoder_weights": None}
        if name := getattr(self.network, "encoder_source", {}).get("encoder_name"):
            decided["encoder_name"] = name
        if hasattr(self.network, "normalisation"):
            decided["normalisation"] = self.network.normalisation.as_setting()
        return decided

    def _described(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """Let the metadata state what this run's own settings decided, and the range of values it was trained with."""
        for name, value in self.metadata.items():
            *parents, last = name.split("#")
            place = metadata
            for part in parents:
                place = place.setdefault(part, {})
            place[last] = value
        image = metadata.get("network_data_format", {}).get("inputs", {}).get("image", {})
        if hasattr(self.network, "normalisation") and "value_range" in image:
            image["value_range"] = [round(value, 4) for value in self.network.normalisation.value_range()]
        return metadata

    def _follow(self, inference: dict[str, Any], train: dict[str, Any]) -> dict[str, Any]:
        """Let prediction use what training used, for every id that both files have and that is no matter of the call."""
        own = {*_LOCAL, "imports", "initialize", "finalize", "run", "dataset", "dataset_name", "batch_size"}
        return {name: train[name] if name in train and name not in own else value for name, value in inference.items()}


def local_settings(folder: Path | None) -> tuple[str, ...]:
    """Return the ids that belong to one machine or call: paths, lists of files, and what spreads work over devices.

    A bundle with further ones lists them as ``local_ids`` in its ``train.json``.
    """
    if folder is None:
        return _LOCAL
    train, spread = (folder / f"{name}.json" for name in ("train", "multi_gpu_train"))
    own = _read(train).get("local_ids", ()) if train.is_file() else ()
    return (*_LOCAL, *own, *(_read(spread) if spread.is_file() else ()))


def _restore(settings: dict[str, Any], original: dict[str, Any], path: list[str]) -> None:
    """Put the original value at ``path`` back, or take the entry away where the original has none."""
    *parents, last = path
    for part in parents:
        settings, original = settings.get(part, {}), original.get(part, {})
    if last in original:
        settings[last] = original[last]
    else:
        settings.pop(last, None)


def refuse_other_settings(settings: dict[str, Any]) -> None:
    """Refuse to resume a run with settings that it was not started with: the result would be neither run.

    Raises:
        WrongCallError: Names the first setting that differs, with both values.
    """
    resume = settings.get("resume")
    former_file = Path(str(resume)) / "configs" / "train.json"
    if not isinstance(resume, str) or not former_file.is_file():
        return  # no resume, or no run: RunFolder says so
    former, now = _leaves(_read(former_file)), _leaves(without_tracking(settings))
    may_differ = tuple(f"{name}#" for name in (*_MAY_DIFFER, *_FOREIGN, *local_settings(former_file.parent)))
    for name in [*former, *(name for name in now if name not in former)]:
        if not f"{name}#".startswith(may_differ) and now.get(name) != former.get(name):
            raise WrongCallError(
                f"resume: {name!r} was {former.get(name)!r} in this run and is {now.get(name)!r} now; leave it as it was"
            )


def _leaves(value: Any, name: str = "") -> dict[str, Any]:
    if isinstance(value, dict | list) and value:
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        return {key: leaf for part, item in parts for key, leaf in _leaves(item, f"{name}#{part}".lstrip("#")).items()}
    return {name: value}


def _workflow() -> Any:
    frame = inspect.currentframe()
    while frame is not None:
        candidate = frame.f_locals.get("self")
        if type(candidate).__name__ == "ConfigWorkflow" and hasattr(candidate, "config_root_path"):
            return candidate
        frame = frame.f_back
    return None


def _settings(workflow: Any) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(json.dumps(workflow.parser.get(), default=str))
    return settings


def _print_one_line_errors() -> None:
    """Under the plain MONAI command, end with one line instead of a traceback (MONAI 1.6.1 has no short form)."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name.startswith("monai.bundle") and not os.environ.get(DEBUG_VARIABLE):
        sys.excepthook = _one_line


def _one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    ours = user_error(error)
    if ours is not None:  # what explains comes first, so that the last line says what is wrong
        headline, *details = str(ours).splitlines()
        print("\n".join([*details, f"error: {headline}"]), file=sys.stderr)
    elif isinstance(error, KeyboardInterrupt):
        print("error: interrupted", file=sys.stderr)
    elif any(str(link).startswith(_MONAI_COMPONENT) for link in error_chain(error)):
        print(f"error: {cause(error)}; {DEBUG_VARIABLE}=1 shows the traceback", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


def cause(error: BaseException) -> str:
    """Return what went wrong in the words of the innermost error: MONAI wraps causes in long messages of its own."""
    ours = user_error(error)
    if isinstance(ours, ToolkitError):
        return str(ours)
    chain = list(error_chain(error))
    component = next((str(link).split("'")[1] for link in chain if str(link).startswith(_MONAI_COMPONENT)), None)
    reason = f"{type(chain[-1]).__name__}: {' '.join(str(chain[-1]).split())}"
    return reason if component is None else f"{component} cannot be made: {reason}"


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=4, ensure_ascii=False) + "\n"


def without_machine_paths(value: Any) -> Any:
    """Return a configuration with null in place of every absolute path."""
    if isinstance(value, dict):
        return {name: without_machine_paths(item) for name, item in value.items()}
    if isinstance(value, list):
        return [without_machine_paths(item) for item in value]
    return None if isinstance(value, str) and _MACHINE_PATH.match(value) else value
