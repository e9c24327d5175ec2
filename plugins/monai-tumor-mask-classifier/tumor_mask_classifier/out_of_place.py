"""Is this an image of the kind that the network learnt from? Distances in the space of its features."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.write import write_bytes
from monai_tumor.training.checkpoint import read_checkpoint
from monai_tumor.training.process import rank
from tumor_mask_classifier.explanation import COARSEST, evaluating, feature_map
from tumor_mask_classifier.network import MaskClassifier

FEATURES = "features.npz"
"""File beside the weights of a run."""
_DIRECTIONS = 32
_PROBE = 128  # pixels a side
_FLOOR = 1e-3  # of a variance, beside the mean one
_CONSTANT = 1e-2  # least standard deviation beside the usual one: a channel that was silent may say something once

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TypicalFeatures:
    """Where the features of training images lie: their mean, the directions in which they vary, and how much.

    Only these sums are kept, no image's own features.

    Attributes:
        mean: float32 (features,).
        scale: float32 (features,), the standard deviation of each; the rest is of features divided by it.
        directions: float32 (directions, features), orthonormal.
        variances: float32 (directions,), along each of them.
        rest: Mean variance along all others.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    directions: NDArray[np.float32]
    variances: NDArray[np.float32]
    rest: float

    @classmethod
    def fit(cls, features: NDArray[Any]) -> TypicalFeatures:
        """Fit probabilistic principal components (Tipping and Bishop, 1999) to (images, features), standardised.

        Raises:
            WrongDataError: There are fewer than two images.
        """
        values = np.asarray(features, np.float64)
        count, width = values.shape
        if count < 2:
            raise WrongDataError(f"{count} training image; distances in feature space need two or more")
        mean, scale = values.mean(axis=0), values.std(axis=0)
        varied = scale[scale > 0]
        scale = np.maximum(scale, _CONSTANT * float(np.median(varied)) if varied.size else 1.0)
        _, spread, directions = np.linalg.svd((values - mean) / scale, full_matrices=False)
        variances = spread**2 / (count - 1)
        kept = min(_DIRECTIONS, (count - 1) // 2, width - 1)
        rest = max(
            float(variances[kept:].sum()) / (width - kept), _FLOOR * float(variances.mean()), np.finfo(float).tiny
        )
        return cls(
            mean.astype(np.float32),
            scale.astype(np.float32),
            directions[:kept].astype(np.float32),
            np.maximum(variances[:kept], rest).astype(np.float32),
            rest,
        )

    def distances(self, features: NDArray[Any]) -> Floats:
        """Return the Mahalanobis distance of (images, features) by this model, divided by the root of their number."""
        off = (np.asarray(features, np.float64) - self.mean) / self.scale
        along = off @ self.directions.T.astype(np.float64)
        across = np.maximum((off**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
        found: Floats = np.sqrt(((along**2 / self.variances).sum(axis=1) + across / self.rest) / off.shape[1])
        return found


class FeatureTap:
    """Catches the features of every classifier in a network while it predicts.

    They are means and standard deviations over the coarsest feature map in which one place stands for at most 16 pixels: its
    texture. The last map is no use here: what does not matter for the classes is gone from it.

    Args:
        network: A ``MaskClassifier``, or whatever holds some: an ensemble.
    """

    def __init__(self, network: nn.Module) -> None:
        self.members = [part for part in network.modules() if isinstance(part, MaskClassifier)]
        self._caught: list[NDArray[np.float32]] = []
        for member in self.members:
            _stage_of(member).register_forward_hook(self._catch)

    def take(self) -> list[NDArray[np.float32]]:
        """Return the features (batch, features) of each member for the last batch, and forget them."""
        caught, self._caught = self._caught[-len(self.members) :], []
        return caught

    def _catch(self, module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        values = output.detach().float()
        texture = torch.cat([values.mean(dim=(2, 3)), values.std(dim=(2, 3), correction=0)], dim=1)
        self._caught.append(texture.cpu().numpy())


def _stage_of(member: MaskClassifier) -> nn.Module:
    """Return the part of a classifier whose output is that feature map."""
    place = next(member.parameters())
    probe = torch.zeros(1, member.shown, _PROBE, _PROBE, device=place.device)
    least = (_PROBE / COARSEST, _PROBE / COARSEST)
    with torch.no_grad(), evaluating(member), feature_map(member.backbone, least) as found:
        member.backbone(probe)
    return found[0][0]


class FeatureDistance:
    """The distances of the images of a batch from what is typical, the mean over the members of an ensemble.

    Args:
        bundle_root: The run, with ``models/features.npz``; without it there are no distances.
        network: The network that predicts.

    Raises:
        WrongDataError: The file is damaged, or one of another network.
    """

    def __init__(self, bundle_root: str | Path, network: nn.Module) -> None:
        self.path = Path(bundle_root) / "models" / FEATURES
        self.typical = read_features(self.path)
        self.tap = FeatureTap(network) if self.typical else None
        if self.tap is not None and len(self.tap.members) != len(self.typical):
            raise self._of_another(f"{len(self.typical)} networks, not {len(self.tap.members)}")

    def of_batch(self) -> Floats | None:
        """Return the distances (batch,) of the last batch that the network predicted; None where nothing is known."""
        if self.tap is None:
            return None
        pairs = list(zip(self.typical, self.tap.take(), strict=True))
        for typical, features in pairs:
            if features.shape[1] != len(typical.mean):
                raise self._of_another(f"{len(typical.mean)} features, not {features.shape[1]}")
        found: Floats = np.mean([typical.distances(features) for typical, features in pairs], axis=0)
        return found

    def _of_another(self, what: str) -> WrongDataError:
        return WrongDataError(f"{self.path} is of {what}; train the run again, or delete the file")


def write_features(path: Path, members: Sequence[TypicalFeatures]) -> None:
    """Write the typical features of each member of a network; an earlier file is replaced."""
    arrays: dict[str, Any] = {}
    for number, one in enumerate(members):
        parts = {
            "mean": one.mean,
            "scale": one.scale,
            "directions": one.directions,
            "variances": one.variances,
            "rest": np.array(one.rest),
        }
        arrays |= {f"{number}.{name}": array for name, array in parts.items()}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_bytes(path, buffer.getvalue(), overwrite=True)


def read_features(path: Path) -> list[TypicalFeatures]:
    """Return the typical features of each member; none where there is no such file.

    Raises:
        WrongDataError: The file is damaged.
    """
    if not path.is_file():
        return []
    try:
        with np.load(path, allow_pickle=False) as file:  # TypeError where it is a single array
            count = len({name.partition(".")[0] for name in file.files})
            return [_member(file, number) for number in range(count)]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise WrongDataError(f"{path} cannot be read ({error}); train the run again, or delete the file") from error


class FitFeatures:
    """Let a trained run know what its training images look like to its network: ``models/features.npz``.

    Args:
        folder: The run.
        network: Its network; the chosen weights are loaded into it.
        batches: The training images as they are predicted, without augmentation.
        prepare_batch: Makes the network's input of a batch.
        inferer: Calls the network.
        device: Where to.
    """

    def __init__(
        self, folder: Any, network: nn.Module, batches: Iterable[Any], prepare_batch: Any, inferer: Any, device: Any
    ) -> None:
        self.folder, self.network, self.batches = folder, network, batches
        self.prepare_batch, self.inferer, self.device = prepare_batch, inferer, device

    def run(self) -> None:
        """Fit and write; nothing where the training was interrupted, and in one process only."""
        if rank() != 0 or self.folder.record["status"] != "finished":
            return
        models = self.folder.path / "models"
        self.network.load_state_dict(read_checkpoint(models / "model.pt", self.device))
        write_features(models / FEATURES, [self._fitted()])

    def _fitted(self) -> TypicalFeatures:
        tap, found = FeatureTap(self.network.eval()), []
        with torch.inference_mode():
            for batch in self.batches:
                self.inferer(self.prepare_batch(batch, self.device)[0], self.network)
                found.append(tap.take()[0])
        return TypicalFeatures.fit(np.concatenate(found))


def _member(file: Any, number: int) -> TypicalFeatures:
    names = ("mean", "scale", "directions", "variances")
    mean, scale, directions, variances = (np.asarray(file[f"{number}.{name}"], np.float32) for name in names)
    rest = float(file[f"{number}.rest"])
    fits = mean.ndim == variances.ndim == 1 and directions.shape == (len(variances), len(mean))
    positive = rest > 0 and (variances > 0).all() and (scale > 0).all()
    if not fits or scale.shape != mean.shape or not (positive and np.isfinite([*mean, *scale, *variances, rest]).all()):
        raise ValueError("arrays of wrong shapes or values")
    return TypicalFeatures(mean, scale, directions, variances, rest)
