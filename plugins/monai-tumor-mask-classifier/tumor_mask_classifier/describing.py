"""What the metadata of a run says about its classes and channels, which are settings here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_COLOURS = {1: ("grey; colour images are turned to grey",), 3: ("red", "green", "blue")}
_INPUT, _OUTPUT = "network_data_format#inputs#image", "network_data_format#outputs#pred"


def run_metadata(classes: Sequence[str], channels: int) -> dict[str, Any]:
    """Return what ``bundles.ConfigurationWriter`` puts into the metadata of a run; configurations call this.

    Args:
        classes: The labels in the order of the logits.
        channels: Channels of the image, 1 or 3.
    """
    listed = ", ".join(f"{place} {label}" for place, label in enumerate(classes))
    seen = [*_COLOURS[channels], "mask of the lesion, 0 or 1"]
    return {
        "label_classes": listed,
        "pred_classes": listed,
        f"{_INPUT}#num_channels": len(seen),
        f"{_INPUT}#channel_def": {str(place): words for place, words in enumerate(seen)},
        f"{_OUTPUT}#num_channels": len(classes),
        f"{_OUTPUT}#channel_def": {str(place): label for place, label in enumerate(classes)},
    }
