"""What is typical is a Gaussian whose covariance is that of probabilistic principal components; batches have no say in it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from tumor_mask_classifier.explanation import explain
from tumor_mask_classifier.out_of_place import (
    FEATURES,
    FeatureDistance,
    FeatureTap,
    TypicalFeatures,
    read_features,
    write_features,
)

from monai_tumor.errors import WrongDataError
from monai_tumor.networks import build
from monai_tumor.networks.factory import build_ensemble

WANTED = {"name": "mask_classifier", "in_channels": 1, "out_channels": 3, "backbone": "two_stage_cnn"}


def some_features(count: int, width: int, seed: int = 0) -> np.ndarray:
    """Return features that vary along few directions, and a little everywhere."""
    random = np.random.default_rng(seed)
    return 3 + random.normal(0, 2, (count, 5)) @ random.normal(0, 1, (5, width)) + random.normal(0, 0.3, (count, width))


def standardised(known: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both by mean and standard deviation of the first."""
    mean, scale = known.mean(axis=0), known.std(axis=0)
    return (known - mean) / scale, (new - mean) / scale


def test_a_channel_that_was_silent_in_training_may_whisper():
    known, new = some_features(60, 12), some_features(20, 12, seed=1)
    known[:, 3] = 0
    before = TypicalFeatures.fit(known).distances(np.where(np.arange(12) == 3, 0, new))
    after = TypicalFeatures.fit(known).distances(np.where(np.arange(12) == 3, 0.01, new))
    assert (after < 2 * before + 1).all()


def test_units_of_features_do_not_matter():
    known, new = some_features(60, 12), some_features(20, 12, seed=1)
    units = 2.0 ** np.arange(-3, 9)
    plain, other = TypicalFeatures.fit(known), TypicalFeatures.fit(known * units)
    assert np.allclose(plain.distances(new), other.distances(new * units), rtol=1e-3)


@pytest.mark.parametrize(("count", "width"), [(200, 12), (200, 60), (30, 60)])
def test_distances_are_those_of_the_whole_covariance(count, width):
    known, new = standardised(some_features(count, width), some_features(50, width, seed=1))
    typical = TypicalFeatures.fit(known)
    values, vectors = np.linalg.eigh(np.cov(known.T))
    kept, values, vectors = len(typical.variances), values[::-1], vectors[:, ::-1]
    spread = np.where(np.arange(width) < kept, values, values[kept:].sum() / (width - kept))
    off = new - known.mean(axis=0)
    wanted = np.sqrt(np.einsum("ni,ij,nj->n", off, vectors / spread @ vectors.T, off) / width)
    assert np.allclose(typical.distances(new), wanted, rtol=1e-3)


def test_distances_are_those_of_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    known, new = standardised(some_features(200, 60), some_features(50, 60, seed=1))
    precision = decomposition.PCA(n_components=32, svd_solver="full").fit(known).get_precision()
    off = new - known.mean(axis=0)
    wanted = np.sqrt(np.einsum("ni,ij,nj->n", off, precision, off) / 60)
    assert np.allclose(TypicalFeatures.fit(known).distances(new), wanted, rtol=1e-3)


def network_of(members: int) -> torch.nn.Module:
    torch.manual_seed(0)
    return (build(**WANTED) if members == 1 else build_ensemble(members, **WANTED)).eval()


def caught(network: torch.nn.Module, images: torch.Tensor) -> list[np.ndarray]:
    tap = FeatureTap(network)
    with torch.inference_mode():
        network(images)
    return tap.take()


def run_of(folder: Path, network: torch.nn.Module) -> Path:
    """Return a run that knows what its training images look like to its network."""
    members = caught(network, torch.rand(30, 2, 40, 56) * 2 - 1)
    write_features(folder / "models" / FEATURES, [TypicalFeatures.fit(one) for one in members])
    return folder


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("explained", [False, True])
def test_neither_batches_nor_explanations_change_a_distance(members, explained, tmp_path):
    network, images = network_of(members), torch.rand(7, 2, 40, 56) * 2 - 1
    run = run_of(tmp_path, network)
    distance, found = FeatureDistance(run, network), []
    for batch in images.split(3):
        with torch.inference_mode():
            network(batch)
        found.append(distance.of_batch())
        if explained:
            explain(network, batch, [0] * len(batch))
    whole = FeatureDistance(run, network)
    with torch.inference_mode():
        network(images)
    assert np.allclose(np.concatenate(found), whole.of_batch(), rtol=1e-4)


def test_the_distance_of_an_ensemble_is_the_mean_of_its_members(tmp_path):
    network, images = network_of(3), torch.rand(4, 2, 40, 56)
    distance = FeatureDistance(run_of(tmp_path, network), network)
    typical = read_features(tmp_path / "models" / FEATURES)
    with torch.inference_mode():
        network(images)
    found = distance.of_batch()
    each = [one.distances(caught(member, images)[0]) for one, member in zip(typical, network, strict=True)]
    assert np.allclose(found, np.mean(each, axis=0), rtol=1e-4)


def test_a_network_without_such_a_file_has_no_distances(tmp_path):
    assert FeatureDistance(tmp_path, network_of(1)).of_batch() is None


def single_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


@pytest.mark.parametrize("content", [b"", b"junk" * 20, b"PK\x03\x04 cut off", single_array()])
def test_a_damaged_file_is_named(content, tmp_path):
    (tmp_path / FEATURES).write_bytes(content)
    with pytest.raises(
        WrongDataError, match=r"features\.npz cannot be read .*; train the run again, or delete the file"
    ):
        read_features(tmp_path / FEATURES)


@pytest.mark.parametrize("wrong", [{"rest": np.nan}, {"rest": 0.0}, {"mean": np.zeros(7)}, {"variances": np.zeros(3)}])
def test_arrays_that_cannot_be_are_named(wrong, tmp_path):
    write_features(tmp_path / FEATURES, [TypicalFeatures.fit(some_features(30, 8))])
    with np.load(tmp_path / FEATURES) as file:
        arrays = {**file, **{f"0.{name}": np.asarray(value) for name, value in wrong.items()}}
    np.savez(tmp_path / FEATURES, **arrays)
    with pytest.raises(WrongDataError, match="wrong shapes or values"):
        read_features(tmp_path / FEATURES)


def test_a_file_of_another_network_is_named(tmp_path):
    run_of(tmp_path, network_of(2))
    with pytest.raises(WrongDataError, match=r"features\.npz is of 2 networks, not 1; train the run again"):
        FeatureDistance(tmp_path, network_of(1))
    write_features(tmp_path / "models" / FEATURES, [TypicalFeatures.fit(some_features(30, 8))])
    network = network_of(1)
    distance = FeatureDistance(tmp_path, network)
    with torch.inference_mode():
        network(torch.rand(1, 2, 40, 56))
    with pytest.raises(WrongDataError, match="is of 8 features, not 512"):
        distance.of_batch()
