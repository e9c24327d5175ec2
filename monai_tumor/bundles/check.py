"""Check a bundle: every mistake with its id, its target and its cause, in one line each."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from monai_tumor.bundles.find import bundle_name, config_file, configs_folder
from monai_tumor.bundles.running import cause
from monai_tumor.bundles.schema import metadata_faults

# What runs something when it is resolved; checked for broken references only.
_RUN_IDS = ("initialize", "finalize", "run", "training", "evaluating", "predicting")
_METADATA = (
    "version",
    "changelog",
    "monai_version",
    "pytorch_version",
    "numpy_version",
    "required_packages_version",
    "name",
    "bundle",
    "task",
    "description",
    "authors",
    "copyright",
    "intended_use",
    "network_data_format",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake in a bundle.

    Attributes:
        file: Configuration file.
        id: Id in it.
        target: What the id names (``_target_`` or expression), or "".
        cause: What is wrong.
    """

    file: str
    id: str
    target: str
    cause: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.id, self.target, self.cause) if part)


def check_bundle(root: Path) -> list[Finding]:
    """Return the mistakes of the bundle or run in ``root``, on phantoms and without training.

    Metadata, every id of the training, evaluation and prediction configurations, MONAI's own property check for both
    workflow types, and the channels that the network takes and gives (``verify_net_in_out``).
    """
    logging.disable(logging.WARNING)  # MONAI reports every step of its own
    try:
        return _check(root)
    finally:
        logging.disable(logging.NOTSET)


def _check(root: Path) -> list[Finding]:
    found = check_metadata(root)
    train, inference = config_file(root, "train"), config_file(root, "inference")
    evaluate = configs_folder(root) / "evaluate.json"
    found += _check_workflow([train], "train")
    if not found and evaluate.is_file():
        found += _check_workflow([train, evaluate], "train", properties=False)
    found += _check_workflow([inference], "infer")
    return found or _check_network(root, inference)


def check_metadata(root: Path) -> list[Finding]:
    """Return what is wrong in the metadata of the bundle or run in ``root``, by the schema that the toolkit ships."""
    path = configs_folder(root) / "metadata.json"
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [Finding(path.name, "", "", f"cannot be read: {error}")]
    missing = [Finding(path.name, name, "", "is missing") for name in _METADATA if name not in metadata]
    if "version" in metadata and metadata["version"] not in metadata.get("changelog", {}):
        missing.append(Finding(path.name, "changelog", "", f"has no entry for version {metadata['version']}"))
    return missing or [Finding(path.name, name, "", reason) for name, reason in metadata_faults(metadata)]


def _check_workflow(files: list[Path], workflow_type: str, properties: bool = True) -> list[Finding]:
    from monai.bundle import ConfigWorkflow

    name, contents = files[-1].name, []
    for path in files:
        try:
            contents.append(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            return [Finding(path.name, "", "", f"is not JSON: {error}")]
    settings = _on_phantoms(contents[0]) if workflow_type == "train" else {"dataset#data": []}
    try:
        workflow = ConfigWorkflow(
            config_file=[str(path) for path in files], workflow_type=workflow_type, logging_file=False, **settings
        )
        workflow.parser.parse(reset=True)
        workflow._is_initialized = True  # 'initialize' seeds and checks the command line: not wanted in a check
    except Exception as error:
        return [Finding(name, "", "", cause(error))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = _missing_ids(workflow, name) if properties else []
        found = found or _broken_items(workflow, name)
        return found or (_misplaced_ids(workflow, name) if properties else [])


def _on_phantoms(train: dict[str, Any]) -> dict[str, Any]:
    """Return settings without a folder: a bundle then takes its own phantom, and a run, which names its data set, any."""
    settings = {"dataset_dir": "$None"}
    if not str(train.get("dataset_name", "")).startswith("$"):
        settings["dataset_name"] = "phantom"
    return settings


def _broken_items(workflow: Any, name: str) -> list[Finding]:
    """Resolve every id, and keep the failures that no other failure explains."""
    resolver = workflow.parser.ref_resolver
    items = {
        key: item for key, item in resolver.items.items() if key and key.split("::")[0] not in ("_meta_", *_RUN_IDS)
    }
    failures: dict[str, Finding] = {}
    for key, item in items.items():
        text = _failure(partial(workflow.parser.get_parsed_content, key))
        if text is not None:
            failures[key] = Finding(name, key.replace("::", "#"), _target(item.get_config()), text)
    found = [
        finding for key, finding in failures.items() if not any(other in failures for other in _needs(items[key], key))
    ]
    return found + list(_broken_references(resolver.items, name))


def _failure(call: Callable[[], Any]) -> str | None:
    try:
        call()
    except Exception as error:  # whatever a component raises is the finding
        return cause(error)
    return None


def _needs(item: Any, key: str) -> Iterator[str]:
    from monai.bundle import ReferenceResolver

    config = item.get_config()
    yield from ReferenceResolver.find_refs_in_config(config=config, id=key)
    if isinstance(config, dict | list):
        for part in config if isinstance(config, dict) else range(len(config)):
            yield f"{key}::{part}"


def _broken_references(items: Mapping[str, Any], name: str) -> Iterator[Finding]:
    from monai.bundle import ReferenceResolver

    for key, item in items.items():
        if key.split("::")[0] in _RUN_IDS:
            for needed in ReferenceResolver.find_refs_in_config(config=item.get_config(), id=key):
                if needed not in items:
                    text = f"refers to {needed.replace('::', '#')!r}, which does not exist"
                    yield Finding(name, key.replace("::", "#"), "", text)


def _missing_ids(workflow: Any, name: str) -> list[Finding]:
    """List all required ids that are missing; MONAI's own check (1.6.1) raises at the first."""
    required = [entry["id"] for entry in workflow.properties.values() if entry.get("required", False)]
    missing = [entry.replace("::", "#") for entry in required if entry not in workflow.parser]
    return [Finding(name, entry, "", "is missing; MONAI requires this id") for entry in missing]


def _misplaced_ids(workflow: Any, name: str) -> list[Finding]:
    try:
        wrong = workflow.check_properties()
    except Exception as error:
        return [Finding(name, "", "check_properties", cause(error))]
    return [Finding(name, entry, "check_properties", "is not where MONAI expects it") for entry in wrong or []]


def _check_network(root: Path, inference: Path) -> list[Finding]:
    from monai.bundle import verify_net_in_out

    text = _failure(
        partial(
            verify_net_in_out,
            net_id="network_def",
            meta_file=str(inference.with_name("metadata.json")),
            config_file=str(inference),
            device="cpu",
            n=2,
            p=2,
            any=64,
        )
    )
    return [] if text is None else [Finding(inference.name, "network_def", bundle_name(root) or "", text)]


def _target(config: Any) -> str:
    if isinstance(config, dict):
        return str(config.get("_target_", ""))
    return config if isinstance(config, str) else ""
