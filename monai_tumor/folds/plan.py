"""What a cross-validation is asked to do: one bundle with its settings on every fold of one division."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_tumor.bundles.find import bundle_name, config_file, configs_folder
from monai_tumor.bundles.settings import check_settings
from monai_tumor.errors import WrongCallError
from monai_tumor.folds.child import is_local
from monai_tumor.folds.division import cut_folds, given_folds, open_fitting
from monai_tumor.folds.frozen import configuration_digest, overlay_digest
from monai_tumor.networks.factory import is_classification
from monai_tumor.splits.split import Split

NETWORK = "monai_tumor.networks.build"
"""The target of ``network_def`` that an ensemble can be made of."""
_MEAN = "monai_tumor.inference.MeanOfMaps"
# Settings that the cross-validation gives to every training itself.
_OWN = ("split_file", "fold", "run_dir", "resume")


@dataclass(frozen=True, slots=True)
class FoldPlan:
    """One bundle, its settings, its data, and into how many folds they are divided.

    Attributes:
        bundle: Folder of the bundle, or of a run whose settings are used again.
        settings: Id to value, as ``--set`` gives them.
        folds: How many folds there are.
        recipe: JSON file of a recipe, or None.
        dataset_dir: Folder of the data set; None for phantoms.
        dataset: Name of the data set; None for that of the split, or the bundle's own.
        split: File with folds; None to cut them.
    """

    bundle: Path
    settings: Mapping[str, Any]
    folds: int
    recipe: Path | None = None
    dataset_dir: str | None = None
    dataset: str | None = None
    split: str | None = None

    @property
    def files(self) -> list[Path]:
        """The configuration files of each training: that of the bundle, and the recipe."""
        return [config_file(self.bundle, "train"), *([] if self.recipe is None else [self.recipe])]

    @property
    def local(self) -> dict[str, Any]:
        """The settings that belong to this machine, which a resumed run does not know."""
        return {name: value for name, value in self.settings.items() if is_local(name, configs_folder(self.bundle))}

    def check(self) -> None:
        """Refuse what no training would take, or what no set could be made of, before the first training starts.

        Raises:
            WrongCallError: A setting that is unknown or given here anyway, no budget or two, a network or a prediction that
                no ensemble can be made for.
        """
        for name in _OWN:
            if name in self.settings:
                raise WrongCallError(f"--set {name}: a cross-validation gives this setting itself; leave it out")
        check_settings(self.files, self.settings)
        configuration = self._configuration()
        network = configuration["network_def"]
        if network.get("_target_") != NETWORK:
            raise WrongCallError(f"network_def is not made by {NETWORK}, so its folds cannot predict together")
        if not is_classification(network["name"]):  # the ensemble of classifiers takes the mean itself
            self._check_prediction()
        configuration.get_parsed_content("budget")

    def described(self) -> dict[str, Any]:
        """Return what must not change between two calls, JSON-able; the split and its data set stand apart."""
        recipe = None if self.recipe is None else json.loads(self.recipe.read_text(encoding="utf-8"))
        return {
            "bundle": bundle_name(self.bundle),
            "bundle_sha256": configuration_digest(self.bundle),
            "recipe": None if self.recipe is None else self.recipe.stem,
            "recipe_sha256": None if recipe is None else overlay_digest(recipe),
            "set": {name: value for name, value in self.settings.items() if name not in self.local},
        }

    def asked(self) -> dict[str, Any]:
        """Return what is asked of folds and data set, in the words of ``FrozenFolder.begun``."""
        known: dict[str, Any] = {"folds": self.folds}
        if self.split is not None:
            known["split"] = given_folds(self.split, self.dataset).hash
        return known if self.dataset is None else {**known, "dataset": self.dataset}

    def divided(self) -> Split:
        """Return the folds: those of the given file, or cut here as ``data split --folds`` does.

        Raises:
            WrongCallError: The file holds another number of folds, or the data set and its folder do not belong together.
        """
        if self.split is None:
            return cut_folds(self.dataset_name(), self.dataset_dir, self.seed(), self.folds)
        split = given_folds(self.split, self.dataset)
        if split.folds != self.folds:
            raise WrongCallError(
                f"{self.split} holds {split.folds} folds, not {self.folds}; give --folds {split.folds}"
            )
        open_fitting(split.dataset, self.dataset_dir)
        return split

    def dataset_name(self) -> str:
        """Return the name of the data set: the given one, or the bundle's own."""
        return self.dataset or str(self._configuration().get_parsed_content("dataset_name"))

    def seed(self) -> int:
        """Return the seed of the trainings, with which the folds are cut as well."""
        return int(self._configuration()["seed"])

    def _configuration(self) -> Any:
        from monai_tumor.bundles.content import merged_configuration  # MONAI, which no mistake above needs

        return merged_configuration(self.files, {**self.settings, "dataset_dir": self.dataset_dir})

    def _check_prediction(self) -> None:
        inference = config_file(self.bundle, "inference")
        content = json.loads(inference.read_text(encoding="utf-8"))
        steps = content.get("postprocessing", {}).get("transforms", [])
        if _MEAN not in [step.get("_target_") for step in steps]:
            raise WrongCallError(
                f"{inference} has no {_MEAN} in postprocessing, so the maps of several folds would not become one; "
                "put it behind the sigmoid"
            )
