"""Explanations: they lie where the class is decided, and show what the network learnt."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt
from scipy.stats import spearmanr
from torch import nn
from tumor_mask_classifier.explanation import draw_explanation, explain

from monai_tumor.datasets.phantom_shapes import Lesion
from monai_tumor.errors import WrongDataError
from monai_tumor.networks import build

SIZE, SPIKED = (64, 80), 1
BAND = 3  # pixels on either side of the contour
FINE = 4  # the lesions of these pictures are 20 pixels wide


def network(seed: int = 0, backbone: str = "two_stage_cnn", **options) -> nn.Module:
    torch.manual_seed(seed)
    return build("mask_classifier", 1, 2, backbone=backbone, **options).eval()


def phantoms(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noisy images of one lesion anywhere, with its mask; every second contour is spiked, and nothing else differs."""
    random, pictures = np.random.default_rng(seed), []
    for number in range(count):
        radius, spikes = random.uniform(9, 14), (int(random.integers(7, 11)), random.uniform(0.18, 0.26), 0.0)
        row, column = (random.uniform(1.5 * radius, side - 1.5 * radius) for side in SIZE)
        waves = ((2, random.uniform(0.02, 0.1), random.uniform(0, 6)), *([spikes] if number % 2 else []))
        inside = Lesion(row, column, radius, random.uniform(1, 1.2), random.uniform(0, 3), waves).depth(SIZE) > 0
        pictures.append(np.stack([random.normal(0, 0.25, SIZE) + np.where(inside, 0.6, -0.4), inside]))
    return torch.tensor(np.array(pictures), dtype=torch.float32), torch.arange(count) % 2


@pytest.fixture(scope="module")
def learnt() -> nn.Module:
    """A network that tells the contours apart; ten seconds."""
    built, (images, classes) = network().train(), phantoms(120, seed=0)
    optimizer = torch.optim.AdamW(built.parameters(), 0.003)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.003, total_steps=80)
    for _ in range(10):
        for some in torch.randperm(120).split(15):
            loss = nn.functional.cross_entropy(built(images[some]), classes[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return built.eval()


@pytest.fixture(scope="module")
def spiked() -> torch.Tensor:
    """Ten images that it has not seen."""
    images, classes = phantoms(20, seed=5)
    return images[classes == SPIKED]


def regions(heat: np.ndarray, lesion: np.ndarray) -> tuple[float, float, float]:
    """Return the mean heat around the contour, inside it, and in the nearest pixels outside, as many as around it."""
    depth = distance_transform_edt(lesion) - distance_transform_edt(~lesion)
    around, outside = np.abs(depth) <= BAND, np.argsort(-np.where(depth < -BAND, depth, -np.inf), axis=None)
    return heat[around].mean(), heat[depth > BAND].mean(), heat.flat[outside[: around.sum()]].mean()


def means(built: nn.Module, images: torch.Tensor) -> np.ndarray:
    maps = explain(built, images, [SPIKED] * len(images), coarsest=FINE)
    pairs = zip(maps, images[:, 1].numpy() > 0, strict=True)
    return np.mean([regions(heat, lesion) for heat, lesion in pairs], axis=0)


def test_what_decides_the_class_is_hot(learnt, spiked):
    images, classes = phantoms(20, seed=5)
    assert (learnt(images).argmax(dim=1) == classes).float().mean() >= 0.9
    contour, inside, outside = means(learnt, spiked)
    assert contour > 1.5 * inside and contour > 2 * outside, (contour, inside, outside)


def test_it_is_not_hot_there_before_the_network_has_learnt(spiked):
    contour, inside, outside = means(network(), spiked)
    assert contour < 1.5 * max(inside, outside), (contour, inside, outside)


def test_random_weights_have_another_map(learnt, spiked):
    """The sanity check of J. Adebayo et al. (NeurIPS 2018): what does not depend on the weights explains no network."""
    pairs = zip(*(explain(one, spiked, [SPIKED] * len(spiked)) for one in (learnt, network(seed=1))), strict=True)
    alike = np.mean([spearmanr(one.ravel(), other.ravel()).statistic for one, other in pairs])
    assert alike < 0.5, alike


def test_the_last_map_of_an_averaging_head_is_explained_as_by_grad_cam(learnt, spiked):
    """There HiResCAM and Grad-CAM are one. MONAI's cuts off what is negative; of two classes the other one's map has it."""
    from monai.visualize import GradCAM

    class Centred(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network()
            self.network.load_state_dict(learnt.state_dict())

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            logits = self.network(x)
            return logits - logits.mean(dim=1, keepdim=True)

    theirs = GradCAM(Centred(), "network.backbone.10", postprocessing=lambda heat: heat)
    maps = (theirs(spiked, class_idx=1) - theirs(spiked, class_idx=0))[:, 0].detach().clamp(min=0)
    expected = maps / maps.amax(dim=(1, 2), keepdim=True)
    assert np.allclose(explain(learnt, spiked, [SPIKED] * len(spiked), shifts=[(0, 0)]), expected, atol=1e-5)


@pytest.mark.parametrize("backbone", ["two_stage_cnn", "small_cnn", "resnet10t", "test_efficientnet", "convnext_atto"])
def test_any_backbone_has_a_map_of_the_size_of_the_input(backbone):
    both = torch.randn(2, 2, 70, 101, generator=torch.Generator().manual_seed(0))
    built = network(backbone=backbone)
    maps = explain(built, both, [0, 1])
    assert maps.shape == (2, 70, 101) and maps.dtype == np.float32
    assert maps.min() >= 0 and all(heat.max() in (0, pytest.approx(1)) for heat in maps)
    for place in (0, 1):  # whatever else is in the batch, and each image for its own class
        assert np.allclose(explain(built, both[place : place + 1], [place])[0], maps[place], atol=0.02)


def test_the_two_classes_have_nowhere_in_common(learnt, spiked):
    """Of two, what speaks for one speaks against the other."""
    smooth, rough = (explain(learnt, spiked, [place] * len(spiked)) for place in (0, 1))
    assert np.minimum(smooth, rough).max() == 0


def test_an_ensemble_has_the_map_of_the_mean_of_its_logits(learnt, spiked):
    """A member that never prefers a class has no say, and the same twice changes nothing."""
    silent = network()
    nn.init.zeros_(silent.head.linear.weight)
    alone = explain(learnt, spiked, [SPIKED] * len(spiked))
    for members in ([learnt, silent], [learnt, learnt]):
        together = explain(nn.ModuleList(members), spiked, [SPIKED] * len(spiked))
        assert np.allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("caller", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_network_stays_as_it_was_whoever_calls(caller):
    built, both = network(backbone="resnet10t"), torch.randn(2, 2, 64, 80)
    built(both).sum().backward()
    built.train()
    built.backbone.layer1.eval()
    next(built.parameters()).requires_grad_(False)
    before = [(value.clone(), value.grad.clone(), value.requires_grad) for value in built.parameters()]
    modes = [module.training for module in built.modules()]
    buffers = [value.clone() for value in built.buffers()]
    with caller():
        shown = both.clone()
        explain(built, shown, torch.tensor([0, 1]))
    for value, (old, gradient, required) in zip(built.parameters(), before, strict=True):
        assert torch.equal(value, old) and torch.equal(value.grad, gradient) and value.requires_grad == required
    assert [module.training for module in built.modules()] == modes
    assert all(torch.equal(*pair) for pair in zip(built.buffers(), buffers, strict=True))
    assert not any(module._forward_hooks or module._backward_hooks for module in built.modules())
    assert torch.equal(shown, both) and not shown.requires_grad


def test_a_network_of_fixed_weights_is_explained_too():
    built, both = network(), torch.randn(1, 2, 64, 80)
    expected = explain(built, both, [0])
    assert np.array_equal(explain(built.requires_grad_(False), both, [0]), expected)


@pytest.mark.parametrize("colours", [False, True])
def test_a_picture_is_grey_where_it_is_cold_and_bright_where_it_is_hot(colours):
    image = np.full((40, 60), 100, np.uint8)
    heat, mask = np.zeros((40, 60), np.float32), np.zeros((40, 60), bool)
    heat[:10, :10], heat[:10, 10:20], mask[20:30, 30:50] = 1, 0.5, True
    picture = draw_explanation(np.repeat(image[..., None], 3, axis=2) if colours else image, mask, heat)
    assert picture.shape == (40, 60, 3) and picture.dtype == np.uint8
    assert picture[35, 5].tolist() == [100, 100, 100] == picture[25, 40].tolist()
    assert picture[20, 35].tolist() == [86, 180, 233]  # the outline: sky blue
    assert picture[5, 5].sum() > picture[5, 15].sum() and picture[5, 5, 0] > picture[5, 5, 2]  # yellow
    assert (image == 100).all()


def test_a_map_of_another_size_is_refused():
    with pytest.raises(WrongDataError, match=r"an explanation of \(60, 40\) was to be drawn on an image of \(40, 60\)"):
        draw_explanation(np.zeros((40, 60), np.uint8), None, np.zeros((60, 40), np.float32))
