"""Pack a run: what others need to use it, in one file, and nothing of the patients."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_tumor.bundles.check import check_bundle
from monai_tumor.bundles.content import trained_network
from monai_tumor.bundles.find import PARTS, SPLIT, config_file, has_weights, recipes
from monai_tumor.bundles.origin import Change, changes
from monai_tumor.bundles.portable import (
    portable,
    portable_figures,
    portable_identity,
    portable_record,
    portable_split,
)
from monai_tumor.bundles.running import without_machine_paths
from monai_tumor.bundles.weights_file import check_arrays, check_weights
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.evaluation.folder import IDENTITY, METRICS, is_finished
from monai_tumor.imaging.write import refuse_target, write_text
from monai_tumor.reporting.card import write_card
from monai_tumor.reporting.read import read_json
from monai_tumor.splits.split import read_split, write_split
from monai_tumor.training.record import file_sha256
from monai_tumor.training.run_folder import RUN_FILE, WEIGHTS

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
"""What a packed bundle may be called."""
_TABLE, _POINTS = "cases.csv", ("operating_point.json", "operating_point-tta.json")
_EVALUATION = re.compile(r"\d{3}-\w+|external-\w+-[0-9a-f]{8}")
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can name
_RIGHTS = 0o100644 << 16
_UNIX = 3


@dataclass(frozen=True, slots=True)
class PackedBundle:
    """What was packed.

    Attributes:
        path: The file.
        sha256: Its digest, as hexadecimal digits.
        size: Its bytes.
        changes: In what its configuration differs from that of the installed bundle; empty where that is not known.
    """

    path: Path
    sha256: str
    size: int
    changes: tuple[Change, ...]


def pack_bundle(run: Path, target: Path, with_cases: bool = False) -> PackedBundle:
    """Write a run as ``NAME.zip`` with the one folder ``NAME``, as MONAI wants it; the same run gives the same bytes.

    Args:
        run: A finished run or fold set.
        target: The file to write.
        with_cases: Whether ids, diagnoses and figures of single cases go along. Pictures never do.

    Raises:
        WrongCallError: The target is no free ``NAME.zip``, or the run has not ended.
        WrongDataError: A file of the run is damaged, holds what must not leave, or is not what MONAI expects.
    """
    name = _name_of(target)
    refuse_target(target)
    _refuse_unfinished(run)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{name}-") as scratch:
        root = Path(scratch, name)
        _stage(run, root, with_cases)
        _verify(root)
        found = _changes(root)
        packed = Path(scratch, target.name)
        _write_zip(root, packed)
        digest = file_sha256(packed)
        refuse_target(target)  # somebody may have been faster
        os.replace(packed, target)
    return PackedBundle(target, digest, target.stat().st_size, found)


def _name_of(target: Path) -> str:
    if target.suffix != ".zip" or not NAME.fullmatch(target.stem):
        raise WrongCallError(f"{target} is no name for a packed bundle; give NAME.zip of letters, digits and _ . -")
    return target.stem


def _refuse_unfinished(run: Path) -> None:
    record = read_json(run / RUN_FILE)
    if not record or not has_weights(run):
        raise WrongCallError(f"{run} is no trained run: it lacks {RUN_FILE} or {WEIGHTS}; give the folder of a run")
    if record.get("status") == "running":
        raise WrongCallError(f"{run} is being trained, or was killed; go on with: monai-tumor train --resume {run}")


def _stage(run: Path, root: Path, with_cases: bool) -> None:
    """Write what leaves into the folder ``root``."""
    for part in (*PARTS, "metadata"):
        if (source := config_file(run, "train").with_name(f"{part}.json")).is_file():
            _put(root / "configs" / source.name, _portable_settings(part, read_json(source)), indent=4)
    _copy(config_file(run, "train").with_name("logging.conf"), root / "configs" / "logging.conf")
    _copy(run / "LICENSE", root / "LICENSE")
    check_weights(run / WEIGHTS)
    _copy(run / WEIGHTS, root / WEIGHTS)
    for path in sorted((run / "models").glob("*.npz")):
        check_arrays(path)
        _copy(path, root / "models" / path.name)
    _put(root / RUN_FILE, portable_record(read_json(run / RUN_FILE), recipes()))
    _put_points(run, root)
    if (run / SPLIT).is_file():
        split = read_split(run / SPLIT)
        write_split(root / SPLIT, split if with_cases else portable_split(split))
    for folder in sorted((run / "evaluation").glob("*")):
        if _EVALUATION.fullmatch(folder.name) and is_finished(folder):
            _stage_evaluation(folder, root / "evaluation" / folder.name, with_cases)
    write_card(root)


def _stage_evaluation(folder: Path, target: Path, with_cases: bool) -> None:
    _put(target / METRICS, portable_figures(read_json(folder / METRICS)))
    identity = read_json(folder / IDENTITY)
    _put(target / IDENTITY, identity if with_cases else portable_identity(identity))
    _put_points(folder, target)
    if with_cases:
        _copy(folder / _TABLE, target / _TABLE)


def _put_points(source: Path, target: Path) -> None:
    for name in _POINTS:
        if (source / name).is_file():
            _put(target / name, portable(read_json(source / name)))


def _portable_settings(part: str, content: dict[str, Any]) -> dict[str, Any]:
    if part not in ("train", "inference"):
        return content
    kept: dict[str, Any] = without_machine_paths(content)
    if "recipe" in kept and kept["recipe"] not in recipes():
        kept["recipe"] = None  # the name of somebody's own file
    return kept


def _verify(root: Path) -> None:
    findings = check_bundle(root)
    if findings:
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        raise WrongDataError(f"{findings[0]}{more}; nothing was packed: see 'monai-tumor bundle check'")
    trained_network(root)


def _changes(root: Path) -> tuple[Change, ...]:
    try:
        return tuple(changes(root))
    except WrongCallError:  # a bundle of one's own, which is installed nowhere
        return ()


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _put(path: Path, content: dict[str, Any], indent: int = 1) -> None:
    write_text(path, json.dumps(content, indent=indent, ensure_ascii=False) + "\n")


def _write_zip(root: Path, target: Path) -> None:
    """Write the folder uncompressed: weights do not get smaller, and compressed bytes depend on who compresses."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in _files(root):
            entry = zipfile.ZipInfo(path.relative_to(root.parent).as_posix(), _TIME)
            entry.external_attr, entry.create_system, entry.file_size = _RIGHTS, _UNIX, path.stat().st_size
            with path.open("rb") as source, archive.open(entry, "w") as copy:
                shutil.copyfileobj(source, copy)


def _files(root: Path) -> Iterator[Path]:
    yield from sorted(path for path in root.rglob("*") if path.is_file())
