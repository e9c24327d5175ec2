"""What holds for every network: any size, any batch, equal when traced and when loaded again."""

from __future__ import annotations

import pytest
import torch

from tests.networks.conftest import BUILT_IN

SIZES = [(64, 96), (65, 70), (1, 300), (40, 40), (1, 1)]


def test_these_networks_are_built_in():
    assert set(BUILT_IN) == {
        "classic_unet",
        "unet",
        "unetplusplus",
        "deeplabv3",
        "deeplabv3plus",
        "monai_unet",
        "segresnet",
    }


@pytest.mark.parametrize("channels", [1, 3])
def test_logits_have_the_size_of_the_image(light, name, channels):
    network = light(name, channels).eval()
    with torch.inference_mode():
        assert [network(torch.zeros(2, channels, *size)).shape for size in SIZES] == [(2, 1, *size) for size in SIZES]


@pytest.mark.parametrize(("batch", "size"), [(1, (64, 96)), (1, (5, 7)), (1, (32, 32)), (3, (33, 20))])
def test_an_optimiser_step_works_with_any_batch_and_size(light, name, batch, size):
    network = light(name).train()
    optimizer = torch.optim.Adam(network.parameters())
    before = {key: value.clone() for key, value in network.named_parameters()}
    network(torch.rand(batch, 1, *size)).square().mean().backward()
    optimizer.step()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert any(not torch.equal(before[key], value) for key, value in network.named_parameters())
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())


@pytest.mark.filterwarnings("ignore")
def test_a_traced_network_gives_the_same_logits_at_its_size_and_at_others(light, name):
    network = light(name).eval()
    with torch.no_grad():
        traced = torch.jit.trace(network, torch.rand(1, 1, 64, 96))
        for size in SIZES:
            image = torch.rand(2, 1, *size)
            torch.testing.assert_close(traced(image), network(image), atol=1e-5, rtol=1e-5)


def test_saved_weights_load_into_a_new_network(light, name, tmp_path):
    first, second = light(name).eval(), light(name).eval()
    torch.save(first.state_dict(), tmp_path / "model.pt")
    second.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    image = torch.rand(1, 1, 40, 70)
    with torch.inference_mode():
        assert torch.equal(first(image), second(image))


def test_the_size_multiple_follows_the_depth():
    """Two levels more than by default: without padding, the skip connections of these would not meet."""
    from monai_tumor.networks import build

    networks = [build(name, 1, 1, channels=[4] * 7) for name in ("monai_unet", "classic_unet")]
    for network in (*networks, build("segresnet", 1, 1, blocks_down=[1] * 6)):
        with torch.inference_mode():
            assert network.eval()(torch.zeros(1, 1, 65, 70)).shape == (1, 1, 65, 70)
