"""Packed runs, and archives that somebody has tampered with."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from monai_tumor.bundles.pack import PackedBundle, pack_bundle
from monai_tumor.training.record import file_sha256

Member = str | zipfile.ZipInfo


@pytest.fixture(scope="session")
def packed(trained_run: Path, tmp_path_factory: pytest.TempPathFactory) -> PackedBundle:
    """A packed run of the brain bundle."""
    return pack_bundle(trained_run, tmp_path_factory.mktemp("packed") / "tumour.zip")


@pytest.fixture
def tampered(packed: PackedBundle, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Write the packed run with other members: ``tampered({name: bytes, or None to leave it out})``.

    Returns what ``install_bundle`` is to be called with.
    """

    def write(changed: Mapping[Member, bytes | None], **given: Any) -> dict[str, Any]:
        path = tmp_path / "tampered.zip"
        names = [name.filename if isinstance(name, zipfile.ZipInfo) else name for name in changed]
        with zipfile.ZipFile(packed.path) as source, zipfile.ZipFile(path, "w") as target:
            for name in source.namelist():
                if name not in names:
                    target.writestr(name, source.read(name))
            for member, content in changed.items():
                if content is not None:
                    target.writestr(member, content, compress_type=zipfile.ZIP_DEFLATED)
        return {"path": path, "sha256": file_sha256(path), "to": tmp_path / "installed", **given}

    return write
