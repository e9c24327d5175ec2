"""The two small convolutional networks of the earlier projects, without their heads."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

GRID = 7
"""Places along each side of the map that ``small_cnn`` reads: what is left of 224 pixels after five poolings."""


def small_cnn(in_channels: int) -> nn.Sequential:
    """Return five 3x3 convolutions of 64, 64, 128, 128 and 256 channels, each with ReLU and a 2x2 max pooling."""
    return _convolutions([in_channels, 64, 64, 128, 128, 256], pooled=5)


def small_cnn_head(classes: int) -> nn.Sequential:
    """Return the layers behind ``small_cnn``: 12544, 512, 256 and 128 values, with dropout behind the first two.

    An image of another size than 224 x 224 is brought to the same 7 x 7 places by averaging.
    """
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(GRID),
        nn.Flatten(),
        *(nn.Linear(256 * GRID * GRID, 512), nn.ReLU(), nn.Dropout(0.1)),
        *(nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.1)),
        *(nn.Linear(256, 128), nn.ReLU()),
        nn.Linear(128, classes),
    )


def two_stage_cnn(in_channels: int) -> nn.Sequential:
    """Return 3x3 convolutions of 32, 64, 128 and 256 channels with ReLU, a 2x2 max pooling behind the first three.

    They begin as Keras begins them: Glorot and Bengio (2010), biases at 0.
    """
    layers = _convolutions([in_channels, 32, 64, 128, 256], pooled=3)
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layers


def _convolutions(channels: Sequence[int], pooled: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for place, width in enumerate(channels[1:]):
        layers += [nn.Conv2d(channels[place], width, 3, padding=1), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if place < pooled else []
    return nn.Sequential(*layers)
