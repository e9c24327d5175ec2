"""What tests of networks share: light ones by name, and no network of the other kind."""

from __future__ import annotations

import pytest

from monai_tumor import registry
from monai_tumor.networks import build

BUILT_IN = [component.name for component in registry.components("networks") if component.distribution == registry.CORE]


@pytest.fixture(params=BUILT_IN)
def name(request) -> str:
    """Each network of ours in turn."""
    return request.param


@pytest.fixture
def light():
    """Build a network by name with a small encoder, if it has one: ``light(name, in_channels)``."""

    def build_light(name: str, in_channels: int = 1):
        known = registry.load_named("networks", name).options()
        return build(name, in_channels, 1, encoder_name="resnet18" if "encoder_name" in known else None)

    return build_light


@pytest.fixture(autouse=True)
def no_connection(monkeypatch):
    """Fail where anything looks up a host or connects to one; ``pytest.fail`` passes through ``except Exception``."""
    for call in ("socket.getaddrinfo", "socket.socket.connect"):
        monkeypatch.setattr(call, lambda *_, **__: pytest.fail("tried to reach the network"))
