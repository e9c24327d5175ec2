"""``monai-tumor info``."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
from typing import Any

import click

from monai_tumor import __version__
from monai_tumor.cli.options import json_option
from monai_tumor.cli.output import put_json, stdout_for_json
from monai_tumor.errors import error_chain

_PACKAGES = (
    "monai",
    "torch",
    "torchvision",
    "pytorch-ignite",
    "segmentation-models-pytorch",
    "numpy",
    "pillow",
    "opencv-python-headless",
    "pydicom",
    "nibabel",
)
# What is not installed with the toolkit: distribution, what it is for, how to get it.
_EXTRAS = (
    ("highdicom", "DICOM segmentations and reports", "pip install 'monai-tumor[dicom]'"),
    ("onnxruntime", "prediction with ONNX", "pip install 'monai-tumor[onnx]'"),
    ("openvino", "prediction with OpenVINO", "pip install 'monai-tumor[openvino]'"),
    ("monailabel", "annotation with MONAI Label", "pip install monailabel"),
)


@click.command("info", epilog="Example: monai-tumor info --json")
@json_option
def info_command(as_json: bool) -> None:
    """Print versions, devices, and what is missing for which feature.

    Put it into the report of a fault. It names no user, host or folder.
    """
    with stdout_for_json(True):  # libraries may greet
        found = gather()
    if as_json:
        put_json(found)
        return
    for title in ("versions", "device"):
        for name, value in found[title].items():
            click.echo(f"{name.replace('_', ' ')}: {'not installed' if value is None else value}")
    for line in found["problems"]:
        click.echo(f"problem: {line}")
    for entry in found["missing"]:
        click.echo(f"not installed: {entry['package']}, for {entry['for']}; {entry['install']}")


def gather() -> dict[str, Any]:
    """Return ``versions``, ``device``, ``problems`` (lines) and ``missing`` (optional packages); never raises."""
    problems: list[str] = []
    device = _device(problems)
    _check_pair(problems)
    return {
        "versions": {"monai-tumor": __version__, "python": platform.python_version(), **dict(map(_version, _PACKAGES))},
        "device": device,
        "problems": problems,
        "missing": [
            {"package": name, "for": purpose, "install": install}
            for name, purpose, install in _EXTRAS
            if _version(name)[1] is None
        ],
    }


def _version(name: str) -> tuple[str, str | None]:
    try:
        return name, importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return name, None


def _device(problems: list[str]) -> dict[str, Any]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found: dict[str, Any] = {"machine": f"{platform.system()} {platform.machine()}", "cores": cores}
    try:
        import torch

        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        found["cpu_capability"] = torch.backends.cpu.get_cpu_capability()
        found["cuda"] = ", ".join(names) or "no device"
        from monai_tumor.inference.autocast import native_bf16

        found["bf16_on_cpu"] = native_bf16("cpu")
        found["bf16_on_cuda"] = native_bf16("cuda")
    except Exception as error:  # a broken installation is what this command is asked about
        problems.append(f"torch or MONAI cannot be used: {_reason(error)}")
    return found


def _check_pair(problems: list[str]) -> None:
    """Say in plain words when torch and torchvision were not built for each other."""
    versions = [_version(name)[1] for name in ("torch", "torchvision")]
    if None in versions:
        return
    try:
        # The compiled operators are registered by this import, which fails when they are not torch's.
        importlib.import_module("torchvision").ops.nms  # noqa: B018
    except Exception as error:
        problems.append(
            f"torch {versions[0]} and torchvision {versions[1]} do not fit each other ({_reason(error)}); "
            "install a pair: pip install --force-reinstall torch torchvision"
        )


def _reason(error: BaseException) -> str:
    last = list(error_chain(error))[-1]
    return f"{type(last).__name__}: {' '.join(str(last).split())}"
