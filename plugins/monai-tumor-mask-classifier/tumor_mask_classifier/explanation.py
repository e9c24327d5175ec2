"""Which places of an image speak for a class, in the eyes of a network, and a picture of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import interpolate, pad

from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.marks import as_bytes, brightest
from monai_tumor.imaging.pictures import outline_picture

COARSEST = 16
"""Pixels of the input, along a side, that one place of the feature map stands for at most."""

# No two in one row or one column: four looks fill the grid of a map of stride 16 as evenly as four can.
SHIFTS = ((-12, -4), (-4, 12), (4, -12), (12, 4))
_OPACITY = 0.7
_LEAST = 1e-12

Hook = Callable[[nn.Module, Any, Any], None]


def explain(
    network: nn.Module,
    image_and_mask: torch.Tensor,
    classes_index: Sequence[int] | torch.Tensor,
    shifts: Sequence[tuple[int, int]] = SHIFTS,
    coarsest: int = COARSEST,
) -> NDArray[np.float32]:
    """Return how strongly each place of the input speaks for a class, relative to the place that does most.

    HiResCAM (R. L. Draelos and L. Carin, arXiv:2011.08891, 2020): with ``A_k`` the channels of a feature map and ``z`` the
    logits, of which the class is ``c``::

        heat(place) = max(0, sum over k of dS/dA_k(place) * A_k(place)),   S = z_c - mean(z)

    ``S`` and not ``z_c``, because what is added to all logits changes no probability. Grad-CAM (R. R. Selvaraju et al., ICCV
    2017; ``monai.visualize.GradCAM``) takes the mean of the gradient over all places first. Behind the last feature map, with a
    head that averages over it, both are the same; but there one place is 32 pixels wide, and in the finer maps before it the
    mean loses where the evidence is. The maps of an input that is moved a few pixels each time are averaged, so that the grid
    of the feature map is not to be seen (as test-time augmentation). Of an ensemble it is the mean of the members' maps
    before they are scaled, as its logits are the mean of theirs.

    The map says where the network looks, and neither that it is right nor why: only evidence for the class is shown, and
    the greatest is 1 in every image, however little it is.

    Args:
        network: A ``MaskClassifier``, or an ``nn.ModuleList`` of several. Mode, gradients and hooks stay as they are.
        image_and_mask: float (batch, channels + 1, rows, columns), as for ``MaskClassifier.forward``.
        classes_index: The class in question, one an image.
        shifts: Rows and columns by which the input is moved, in pixels; ``[(0, 0)]`` is the fastest.
        coarsest: Pixels for which one place of the feature map stands at most; the coarsest such map is taken.

    Returns:
        float32 (batch, rows, columns) in 0..1, in the geometry of the input; all 0 where nothing speaks for the class.
    """
    members = network if isinstance(network, nn.ModuleList) else [network]
    with torch.inference_mode(False), torch.enable_grad():
        shown = image_and_mask.clone().detach()
        classes = torch.as_tensor(classes_index).to(shown.device, torch.int64, copy=True)
        looks = [_moved_evidence(one, shown, classes, shift, coarsest) for one in members for shift in shifts]
        heat = torch.stack(looks).mean(dim=0).clamp(min=0)
        heat = heat / heat.amax(dim=(1, 2), keepdim=True).clamp(min=_LEAST)
    return np.asarray(heat.cpu().numpy(), np.float32)


def draw_explanation(
    image: NDArray[Any], mask: NDArray[np.bool_] | None, heat: NDArray[np.floating[Any]]
) -> NDArray[np.uint8]:
    """Lay a map over the image in grey: the stronger, the brighter (black, purple, orange, yellow) and the less transparent.

    The colours are those of "inferno", whose lightness rises evenly: they are told apart by the colour-blind and in grey.
    The outline of the mask is sky blue, because orange would be lost among them.

    Args:
        image: (R, C) or (R, C, 3), uint8 or uint16.
        mask: (R, C) bool, or None for none.
        heat: (R, C) float in 0..1.

    Returns:
        (R, C, 3) uint8 RGB.

    Raises:
        WrongDataError: Mask or map have another size than the image.
    """
    if heat.shape != image.shape[:2]:
        raise WrongDataError(
            f"an explanation of {heat.shape} was to be drawn on an image of {image.shape[:2]}; check both"
        )
    strength = np.clip(np.nan_to_num(heat), 0, 1).astype(np.float32)
    colours = cv2.applyColorMap(np.round(255 * strength).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    opacity = _OPACITY * strength[..., None]
    mixed = (1 - opacity) * brightest(as_bytes(image))[..., None] + opacity * colours
    return outline_picture(np.round(mixed).astype(np.uint8), None, mask)


def _moved_evidence(
    network: nn.Module, shown: torch.Tensor, classes: torch.Tensor, shift: tuple[int, int], coarsest: int
) -> torch.Tensor:
    """Move the input, repeating its border, and move the map back."""
    return _moved(_evidence(network, _moved(shown, *shift), classes, coarsest), -shift[0], -shift[1])[:, 0]


def _moved(pixels: torch.Tensor, down: int, right: int) -> torch.Tensor:
    margins = (right, -right, down, -down)  # what is negative is cut off
    repeated = pad(pixels, [max(0, margin) for margin in margins], mode="replicate")
    return pad(repeated, [min(0, margin) for margin in margins])


def _evidence(network: nn.Module, shown: torch.Tensor, classes: torch.Tensor, coarsest: int) -> torch.Tensor:
    """Return the evidence (batch, 1, rows, columns) of each place, with its sign."""
    rows, columns = shown.shape[2:]
    least = (rows / coarsest, columns / coarsest)
    with evaluating(network), feature_map(cast(nn.Module, network.backbone), least) as found:
        logits = network(shown.requires_grad_())  # so that a network of fixed weights has gradients too
    score = logits.gather(1, classes[:, None]).sum() - logits.mean(dim=1).sum()
    [(_, features)] = found
    [gradient] = torch.autograd.grad(score, features)
    evidence = (gradient * features).detach().float().sum(dim=1, keepdim=True)
    return interpolate(evidence, (rows, columns), mode="bilinear")


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Switch dropout off and back on; a part that alone was switched otherwise (a frozen layer) gets its own mode back."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def feature_map(backbone: nn.Module, least: tuple[float, float]) -> Iterator[list[tuple[nn.Module, torch.Tensor]]]:
    """Yield a list that will hold the smallest feature map of at least these rows and columns, and what gave it.

    Of several it is the last one. Outputs of whole stages go before those of the layers within: a skip connection may lead
    past a layer.
    """
    found: list[tuple[nn.Module, torch.Tensor]] = []
    best = [(float("inf"), 0)]

    def hook(depth: int) -> Hook:
        def keep(module: nn.Module, given: Any, output: Any) -> None:
            if not isinstance(output, torch.Tensor) or output.ndim != 4:
                return
            rows, columns = output.shape[2:]
            if rows >= least[0] and columns >= least[1] and (rows * columns, depth) <= best[0]:
                best[0], found[:] = (rows * columns, depth), [(module, output)]

        return keep

    handles = [module.register_forward_hook(hook(name.count("."))) for name, module in backbone.named_modules() if name]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
