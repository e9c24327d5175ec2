"""What a comparison is asked to do: one bundle, one division into folds, one budget, several methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai_tumor.bundles.find import bundle_name, config_file
from monai_tumor.bundles.settings import check_settings, parse_settings
from monai_tumor.comparison.methods import ComparedMethod
from monai_tumor.errors import WrongCallError
from monai_tumor.folds.division import cut_folds, given_folds, open_fitting
from monai_tumor.folds.frozen import configuration_digest
from monai_tumor.splits.split import Split

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
            open_fitting(split.dataset, self.dataset_dir)
            return split
        return cut_folds(self.dataset or self._default_dataset(), self.dataset_dir, self.seed, self.folds)

    def _default_dataset(self) -> str:
        from monai_tumor.bundles.content import resolved_setting  # MONAI; needed only once in a comparison

        return str(resolved_setting(config_file(self.bundle, "train"), "dataset_name", dataset_dir=self.dataset_dir))
