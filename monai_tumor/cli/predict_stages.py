"""The stages of ``monai-tumor predict``: a bundle that outlines, then a classifier bundle that sees image and outline."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from monai_tumor.cli.options import Step, collect_settings, path_setting, run_or_show, trained_root
from monai_tumor.errors import WrongCallError, WrongDataError

DIAGNOSIS = "diagnosis"
PREDICTIONS = "predictions.json"
Results = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ClassifierStage:
    """The second stage: any trained bundle whose prediction reads masks from a folder.

    Attributes:
        run: The classifier, as it was given.
        masks: Folder of the first stage's masks, ``NAME_mask.png`` for the image NAME.
        explain: Whether the classifier shall show what it looked at.
        words: Further settings of the classifier, ``KEY=VALUE``.
    """

    run: str
    masks: Path
    explain: bool = False
    words: Sequence[str] = ()

    def step(self, images: Mapping[str, Any]) -> Step:
        """Return configuration and settings for ``images``, the setting that names them.

        Raises:
            WrongCallError: A word is no setting, or names one that the stage itself decides.
        """
        from monai_tumor.bundles.find import config_file

        own = {
            "output_dir": path_setting(str(self.masks / DIAGNOSIS)),
            "masks": path_setting(str(self.masks)),
            **images,
            "explain": self.explain or None,
        }
        return [config_file(trained_root(self.run), "inference")], collect_settings(own, self.words)

    def diagnose(self, results: Results, items: Sequence[Mapping[str, str]], as_json: bool) -> Results:
        """Classify the images that have a mask; return the first stage's entries with ``diagnosis`` joined to them.

        Args:
            results: What the first stage wrote about every image.
            items: ``image`` and ``name`` of every image.
            as_json: Whether stdout is to hold JSON only.
        """
        outlined = {result["image"] for result in results if "error" not in result}
        left = [dict(item) for item in items if item["name"] in outlined]
        if not left:
            click.echo(f"no image is left for {self.run}", err=True)
            return results
        found = {
            entry["image"]: _without_name(entry) for entry in run_stage(self.step({"dataset#data": left}), as_json)
        }
        silent = {"error": f"{self.run} has no entry about this image"}
        return [
            {**result, DIAGNOSIS: found.get(result["image"], silent)} if result["image"] in outlined else result
            for result in results
        ]


def classifier_stage(given: Mapping[str, Any], bundle: str, folder: Path) -> ClassifierStage | None:
    """Return the second stage that the options ask for, or None; everything is checked before anything is predicted.

    Args:
        given: The options ``classifier``, ``explain`` and ``classifier_words``.
        bundle: The first stage, as it was given.
        folder: Where the first stage's masks go.

    Raises:
        WrongCallError: An option without a classifier, or bundles that cannot do what is asked of them.
    """
    run, explain = given["classifier"], given["explain"]
    if run is None:
        unused = "--explain" if explain else "--classifier-set" if given["classifier_words"] else None
        if unused is not None:
            raise WrongCallError(f"{unused} is for a classifier; give --classifier RUN as well")
        return None
    _check_roles(bundle, run)
    if explain and "explain" not in _inference(run):
        raise WrongCallError(f"{run} cannot explain: its inference.json has no setting 'explain'; leave --explain out")
    return ClassifierStage(run, folder, explain, given["classifier_words"])


def _check_roles(bundle: str, classifier: str) -> None:
    reads, classifies = ("masks" in _inference(run) for run in (bundle, classifier))
    if reads and not classifies:
        raise WrongCallError(f"{bundle} is the classifier and {classifier} is none; exchange --bundle and --classifier")
    if reads:
        raise WrongCallError(f"{bundle} is a classifier, which draws no masks; give a segmentation run to --bundle")
    if not classifies:
        raise WrongCallError(
            f"{classifier} is no classifier: its inference.json has no setting 'masks'; give another run to --classifier"
        )


def _inference(run: str) -> dict[str, Any]:
    from monai_tumor.bundles.find import config_file

    content: dict[str, Any] = json.loads(config_file(trained_root(run), "inference").read_text(encoding="utf-8"))
    return content


def run_stage(step: Step, as_json: bool) -> Results:
    """Run one prediction, and return what it wrote about each image: ``image``, and ``error`` where that failed.

    Raises:
        WrongDataError: There is no ``predictions.json`` as a prediction has to write it.
    """
    files, settings = step
    with contextlib.suppress(SystemExit):  # some files failed: their entries say so
        run_or_show("predicting", files, settings, False, as_json)
    path = Path(str(settings["output_dir"])) / PREDICTIONS
    try:
        results: Results = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WrongDataError(f"{files[0]} left no {path} that can be read ({error}); mend the bundle") from error
    if not isinstance(results, list) or not all(isinstance(entry, dict) and "image" in entry for entry in results):
        raise WrongDataError(f"{path} is no list of objects with 'image'; mend the bundle of {files[0]}")
    return results


def has_failed(result: Mapping[str, Any]) -> bool:
    """Return whether one of the stages failed on an image."""
    diagnosis = result.get(DIAGNOSIS)
    return "error" in result or (isinstance(diagnosis, dict) and "error" in diagnosis)


def _without_name(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "image"}
