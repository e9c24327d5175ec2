"""What a comparison is asked to do: one bundle, one division into folds, one budget, several methods."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai_tumor.audit.division import divide
from monai_tumor.bundles.find import bundle_name, config_file, configs_folder
from monai_tumor.bundles.settings import check_settings, parse_settings
from monai_tumor.comparison.methods import ComparedMethod
from monai_tumor.datasets import RegisteredDataset, open_dataset
from monai_tumor.errors import WrongCallError
from monai_tumor.splits.split import Split, read_split

# Settings that the comparison gives to every training itself.
_OWN = ("dataset_dir", "dataset_name", "split_file", "fold", "run_dir", "resume", "seed", "epochs", "minutes")


@dataclass(frozen=True, slots=True)
class Plan:
    """What all methods share, and the methods.

    Attributes:
        bundle: Folder of the bundle, or of a run whose settings are used again.
        methods: What is compared.
        dataset_dir: Folder of the data set; None for phantoms.
        dataset: Name of the data set; None for that of the split, or the bundle's own.
        split: File with folds; None to cut ``folds`` of them.
        folds: How many folds are cut without ``split``.
        minutes: Budget of each training, or None.
        epochs: Budget of each training, or None; exactly one of the two is given.
        seed: Seed of the folds, of every training and of the intervals.
        words: Further settings of all trainings, ``KEY=VALUE``.
    """

    bundle: Path
    methods: Sequence[ComparedMethod]
    dataset_dir: str | None = None
    dataset: str | None = None
    split: str | None = None
    folds: int = 5
    minutes: float | None = None
    epochs: int | None = None
    seed: int = 0
    words: Sequence[str] = field(default=())

    def check(self) -> None:
        """Refuse what no training would take, before the first one starts.

        Raises:
            WrongCallError: No budget or two, a setting that is unknown or that the comparison gives itself.
        """
        if (self.minutes is None) == (self.epochs is None):
            raise WrongCallError("give either --minutes or --epochs: all methods get the same time, or the same epochs")
        settings = parse_settings(self.words)
        own = [*_OWN, *(["network_def#name"] if any(method.network for method in self.methods) else [])]
        for name in settings:
            if name in own:
                raise WrongCallError(f"--set {name}: a comparison gives this setting itself; leave it out")
        for method in self.methods:
            overlay = [] if method.overlay is None else [method.overlay]
            check_settings([config_file(self.bundle, "train"), *overlay], settings)
        config_file(self.bundle, "evaluate")

    def described(self) -> dict[str, Any]:
        """Return what must not change between two calls, JSON-able; the split and its data set stand apart."""
        return {
            "bundle": bundle_name(self.bundle),
            "bundle_sha256": configuration_digest(self.bundle),
            "minutes": self.minutes,
            "epochs": self.epochs,
            "seed": self.seed,
            "set": parse_settings(self.words),
        }

    def divided(self) -> Split:
        """Return the folds: those of the given file, or cut here as ``data split --folds`` does.

        Raises:
            WrongCallError: The file holds no folds, or the data set and its folder do not belong together.
        """
        if self.split is not None:
            split = given_folds(self.split, self.dataset)
            self.open_data(split.dataset)
            return split
        dataset = self.open_data(self.dataset or self._default_dataset())
        published = () if self.dataset_dir is None else dataset.published_folds(self.dataset_dir)
        return divide(dataset, dataset.cases(self.dataset_dir), self.seed, folds=self.folds, published=published)

    def open_data(self, name: str) -> RegisteredDataset:
        """Return a data set that fits to whether a folder was given.

        Raises:
            WrongCallError: It needs one and there is none, or the other way round.
        """
        dataset = open_dataset(name)
        if (self.dataset_dir is None) == bool(dataset.layout):
            wrong = "needs its folder; give --dataset-dir DIR" if dataset.layout else "reads no folder; leave it out"
            raise WrongCallError(f"data set {name!r} {wrong}")
        return dataset

    def _default_dataset(self) -> str:
        from monai_tumor.bundles.content import resolved_setting  # MONAI; needed only once in a comparison

        return str(resolved_setting(config_file(self.bundle, "train"), "dataset_name", dataset_dir=self.dataset_dir))


def given_folds(path: str, dataset: str | None) -> Split:
    """Return the folds in a file.

    Raises:
        WrongCallError: It divides into parts, or another data set.
        WrongDataError: It is no split file.
    """
    split = read_split(path)
    if not split.folds:
        raise WrongCallError(f"{path} divides into parts, not folds; make folds with: monai-tumor data split --folds 5")
    if dataset is not None and dataset != split.dataset:
        raise WrongCallError(f"{path} divides data set {split.dataset!r}, not {dataset!r}; leave --dataset out")
    return split


def configuration_digest(bundle: Path) -> str:
    """Return one sha256 of all configuration files of a bundle."""
    digest = hashlib.sha256()
    for path in sorted(configs_folder(bundle).glob("*.json")):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()
