"""Mixed precision on any device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import SimpleInferer

from monai_tumor.errors import unknown_name

PRECISIONS = ("auto", "bf16", "fp32")


class AutocastInferer(SimpleInferer):
    """Call the network in bfloat16 where the processor computes it natively, and return float32 logits.

    MONAI 1.6.1's engines write ``torch.autocast("cuda", ...)``, so ``amp=True`` does nothing on a CPU.

    Args:
        precision: ``bf16``, ``fp32``, or ``auto``: bf16 where the device has instructions for it, which depends on the
            processor alone and so is the same when a run is resumed there.
        tta: Test-time augmentation: predict the image mirrored left to right as well. All bundles train with that mirroring.
    """

    def __init__(self, precision: str = "auto", tta: bool = False) -> None:
        super().__init__()
        if precision not in PRECISIONS:
            raise unknown_name("precision", precision, PRECISIONS)
        self.precision, self.tta = precision, tta

    def __call__(
        self, inputs: torch.Tensor, network: Callable[..., torch.Tensor], *args: Any, **kwargs: Any
    ) -> torch.Tensor:
        """Return the float32 logits, (batch, maps, rows, columns), of a float32 batch (batch, channels, rows, columns).

        With ``tta`` the maps of the mirrored image follow those of the image, mirrored back.
        """
        device = inputs.device.type
        half = uses_bf16(self.precision, device)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=half):
            logits = network(inputs, *args, **kwargs).float()
            if not self.tta:
                return logits
            mirrored = network(inputs.flip(-1), *args, **kwargs).float()
        return torch.cat([logits, mirrored.flip(-1)], dim=1)


def uses_bf16(precision: str, device: str) -> bool:
    """Return whether a network on ``device`` (``cpu`` or ``cuda``) is run in bfloat16."""
    return precision == "bf16" or (precision == "auto" and native_bf16(device))


def native_bf16(device: str) -> bool:
    """Return whether ``device`` has bfloat16 instructions; emulated bfloat16 is slower than float32."""
    if device == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    checks = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return device == "cpu" and any(check() for check in checks if check is not None)
