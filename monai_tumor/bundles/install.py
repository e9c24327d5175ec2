"""Install a packed bundle: nothing of it is believed before it was looked at, and nothing is left of one that was refused."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from monai_tumor.bundles.check import check_metadata
from monai_tumor.bundles.find import config_file, has_weights
from monai_tumor.bundles.origin import changes
from monai_tumor.bundles.pack import NAME
from monai_tumor.bundles.weights_file import check_arrays, check_weights
from monai_tumor.clinical.archives import unpack_zip
from monai_tumor.clinical.limits import Limits
from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError
from monai_tumor.training.record import file_sha256
from monai_tumor.training.run_folder import WEIGHTS

DEFAULT = Path("runs", "installed")
"""Where bundles are installed unless another folder is given."""
_LIMITS = Limits(members=2_000, unpacked_bytes=8 << 30)
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_ADVICE = "install the version that it was packed with, or, if you trust those who made it, give --trust"
# All that a packed run may hold. None of these is opened as a program, except configurations, which are compared.
_PLACES = re.compile(
    r"LICENSE|configs/(?:train|evaluate|inference|multi_gpu_train|metadata)\.json|configs/logging\.conf|docs/README\.md"
    r"|models/model\.pt|models/\w+\.npz|run\.json|split\.json|operating_point(?:-tta)?\.json"
    r"|evaluation/[\w.-]+/(?:evaluation\.json|metrics\.json|cases\.csv|operating_point(?:-tta)?\.json)"
)


def install_bundle(path: Path, sha256: str, to: Path = DEFAULT, trust: bool = False) -> Path:
    """Unpack a packed bundle into a folder of its name, which any command takes as a run.

    Args:
        path: The zip file.
        sha256: Its digest, as the one who packed it has told it.
        to: The folder in which the folder of the bundle is made.
        trust: Install it although its configuration is a program that is not installed here.

    Returns:
        The new folder.

    Raises:
        WrongCallError: The digest is another one, or there is something at that place already.
        WrongDataError: The archive is damaged or dangerous, no bundle, or a program that nobody vouches for.
    """
    _check_digest(path, sha256)
    try:
        to.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=to, prefix=".install-") as scratch:
            root = _unpack(path, Path(scratch))
            target = to / root.name
            _refuse_former(target)
            _check_content(root, path)
            if not trust:
                _refuse_foreign(root, path)
            _refuse_former(target)
            root.rename(target)
    except OSError as error:
        raise WrongCallError(f"{to} cannot be written: {error.strerror}; give another folder to --to") from error
    return target


def _check_digest(path: Path, sha256: str) -> None:
    if not _DIGEST.fullmatch(sha256):
        raise WrongCallError(
            f"sha256 {sha256!r} is none: expected the 64 hexadecimal digits that 'bundle pack' printed"
        )
    if not path.is_file():
        raise WrongCallError(f"{path} does not exist; give a packed bundle, NAME.zip")
    found = file_sha256(path)
    if found != sha256.lower():
        raise WrongCallError(
            f"{path} has the sha256 {found}, not {sha256.lower()}: it was changed or is another one; get it again"
        )


def _unpack(path: Path, folder: Path) -> Path:
    """Unpack all of the archive or nothing, and return its one folder."""
    for _, error in unpack_zip(path, folder, path.name, _LIMITS):
        if error is not None:
            raise WrongDataError(f"{error.partition('; ')[0]}; nothing was installed")
    found = sorted(folder.iterdir())
    if len(found) != 1 or not found[0].is_dir() or not NAME.fullmatch(found[0].name):
        raise WrongDataError(f"{path} is no packed bundle: expected one folder in it, called as the bundle")
    return found[0]


def _refuse_former(target: Path) -> None:
    if os.path.lexists(target):
        raise WrongCallError(f"{target} exists already and nothing is overwritten; move it away, or give --to DIR")


def _check_content(root: Path, path: Path) -> None:
    """Refuse what is no trained bundle: metadata, a configuration to predict with, and weights that are nothing else."""
    if not has_weights(root):
        raise WrongDataError(f"{path} is no packed bundle: it has no {root.name}/{WEIGHTS.as_posix()}")
    try:
        config_file(root, "inference")
        check_weights(root / WEIGHTS)
        for arrays in (root / "models").glob("*.npz"):
            check_arrays(arrays)
    except ToolkitError as error:
        raise WrongDataError(f"{path}: {str(error).replace(f'{root.parent}{os.sep}', '')}") from error
    findings = check_metadata(root)
    if findings:
        raise WrongDataError(f"{path} is no packed bundle: {findings[0]}")


def _refuse_foreign(root: Path, path: Path) -> None:
    """Refuse code that is not installed here."""
    files = sorted(file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file())
    strange = [name for name in files if not _PLACES.fullmatch(name)]
    if strange:
        raise WrongDataError(f"{path} holds {strange[0]}, which no packed run has; {_ADVICE}")
    try:
        foreign = [change for change in changes(root) if change.is_code]
    except ToolkitError as error:
        raise WrongDataError(f"{path} cannot be compared with an installed bundle ({error}); {_ADVICE}") from error
    if foreign:
        more = f" (and {len(foreign) - 1} more)" if len(foreign) > 1 else ""
        raise WrongDataError(
            f"{path} is a program that is not installed here: {_short(str(foreign[0]))}{more}; {_ADVICE}"
        )


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:196]} ..."
