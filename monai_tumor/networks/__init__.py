"""Networks by name. ``build`` is what configurations name; each network lives in a file of its own."""

from typing import TYPE_CHECKING, Any

from monai_tumor.networks.factory import NetworkFactory, build, build_ensemble
from monai_tumor.networks.normalisation import Normalisation

if TYPE_CHECKING:
    from monai_tumor.networks.ensemble import FoldEnsemble

__all__ = ["FoldEnsemble", "NetworkFactory", "Normalisation", "build", "build_ensemble"]


def __getattr__(name: str) -> Any:
    """Bring ``FoldEnsemble``, and with it torch, when it is asked for: a listing of networks needs neither."""
    if name == "FoldEnsemble":
        from monai_tumor.networks.ensemble import FoldEnsemble

        return FoldEnsemble
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
