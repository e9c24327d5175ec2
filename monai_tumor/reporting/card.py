"""The model card of a run, and the figures in its metadata, both written from the run's own files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from monai_tumor.imaging.write import write_text
from monai_tumor.reporting.names import ESTIMATES, evaluation_title, this_part
from monai_tumor.reporting.read import read_json
from monai_tumor.wording import figure_words

_POINTS = ("operating_point.json", "operating_point-tta.json")
_OUTLINES = "lesion_cases"  # what only evaluations of masks have
Metrics = Mapping[str, Any]


def write_card(run: Path) -> Path:
    """Write ``docs/README.md`` and the figures in ``configs/metadata.json`` of a run anew.

    Both follow from ``run.json``, the operating point and the evaluations. Of each part the newest evaluation counts.

    Returns:
        The path of the card.
    """
    record = read_json(run / "run.json")
    metadata = read_json(run / "configs" / "metadata.json")
    evaluations = _newest(run)
    estimates = {name: found for name, found in evaluations.items() if found["part"] in ESTIMATES}
    sections = [
        f"# {metadata.get('name', record['bundle'])}",
        metadata.get("description", ""),
        f"**Intended use.** {metadata.get('intended_use', 'Research only. Not a medical device.')}",
        _data(record["data"]),
        _training(record),
        *_operating_points(run),
        *(_evaluation(name, found) for name, found in estimates.items()),
        *_others([name for name in evaluations if name not in estimates]),
        _limits(record, list(estimates.values())),
    ]
    path = run / "docs" / "README.md"
    write_text(path, "\n\n".join(filter(None, sections)) + "\n", overwrite=True)
    if metadata and estimates:
        _write_figures(run / "configs" / "metadata.json", metadata, estimates)
    return path


def _newest(run: Path) -> dict[str, dict[str, Any]]:
    """Return folder name to figures: the newest evaluation of each part and data set."""
    found = {path.parent.name: read_json(path) for path in sorted((run / "evaluation").glob("*/metrics.json"))}
    last = {evaluation_title(one, Path(name)): name for name, one in found.items()}
    return {name: one for name, one in found.items() if name in last.values()}


def _data(data: dict[str, Any]) -> str:
    lines = [
        f"## Data\n\nData set `{data['dataset']}`"
        + (" (synthetic images, not patients)" if data.get("synthetic") else "")
        + f", divided {data['rule']}. Split `{data['split'][:12]}`, data `{data['fingerprint'][:12]}`.\n",
        "| part | cases | groups | with lesion | lesion-free |",
        "| --- | --- | --- | --- | --- |",
    ]
    for part, counts in _parts(data).items():
        cells = [part, *(str(counts[name]) for name in ("cases", "groups", "with_lesion", "lesion_free"))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _parts(data: dict[str, Any]) -> dict[str, Any]:
    """Return the counts of each part, or of each fold of a fold set and of the whole."""
    if "folds" in data:
        return {**{f"fold {fold}": counts for fold, counts in enumerate(data["folds"])}, "all": data["whole"]}
    return {part: data[part] for part in ("training", "validation", "test")}


def _chosen(record: dict[str, Any]) -> str:
    if record.get("kind") == "folds":
        networks = "; ".join(f"{member['run']}: {_chosen(member)}" for member in record["members"])
        return (
            f"{record['folds']} networks, each trained without the fold that tests it and chosen on the next one, predict "
            f"by the mean of their probabilities; {networks}"
        )
    best = record.get("best")
    if best is None:
        return "no epoch could be chosen"
    return (
        f"best epoch {record['best_epoch']}, validation {figure_words(record.get('metric', 'lesion_dice'))} {best:.3f}"
    )


def _training(record: dict[str, Any]) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in record["settings"].items())
    lines = [
        f"## Training\n\n{settings}; seed {record['seed']}. Status: {record['status']}; {_chosen(record)} (chosen on the "
        "validation part, so this is no estimate of quality)."
    ]
    if record.get("cpu_seconds") is not None:
        lines.append(f"It took {record['cpu_seconds'] / 60:.1f} minutes of processor time.")
    if record.get("weights_sha256"):
        lines.append(f"Weights `{record['weights_sha256'][:12]}`.")
    return " ".join(lines)


def _operating_points(run: Path) -> Iterator[str]:
    for point in filter(None, (read_json(run / name) for name in _POINTS)):
        if "text" in point:  # of a guest's task, in its own words
            yield f"## Operating point\n\n{escape(point['text'], quote=False)}"
            continue
        title = "Operating point" + (" with mirrored images (tta)" if point["tta"] else "")
        temperature = "none could be fitted" if point["temperature"] is None else f"{point['temperature']:.3f}"
        yield (
            f"## {title}\n\nThreshold {point['threshold']:g}, smallest lesion {100 * point['smallest_area']:g} % of the image, "
            f"temperature {temperature}: chosen on {point['chosen_on']}."
        )


def _evaluation(name: str, metrics: Metrics) -> str:
    weights, split = metrics["weights_sha256"][:12], metrics["split"][:12]
    title = evaluation_title(metrics, Path(name))
    how = ""
    if "threshold" in metrics:  # of masks; other tasks have none
        threshold = (
            "One threshold for each fold" if metrics["threshold"] is None else f"Threshold {metrics['threshold']:g}"
        )
        how = f"{threshold}{', mirrored images too' if metrics.get('tta') else ''}. "
    where = f"`evaluation/{name}`, weights `{weights}`, split `{split}`"
    lines = "\n".join(f"- {escape(line, quote=False)}" for line in metrics["text"])
    return f"## {title[0].upper()}{title[1:]}\n\n{how}{where}.\n\n{lines}"


def _others(names: list[str]) -> Iterator[str]:
    if names:
        listed = ", ".join(f"`evaluation/{name}`" for name in names)
        yield f"Further evaluations, of cases that the run has learnt or chosen from: {listed}."


def _limits(record: Metrics, estimates: list[dict[str, Any]]) -> str:
    lines = ["The figures hold for data like those above and for nothing else."]
    if record["data"].get("synthetic"):
        lines.append("The images are synthetic: nothing is known about patients.")
    if not estimates:
        lines.append("Nobody has tested this run.")
    elif not any(one["part"] == "external" for one in estimates):
        lines.append("It was never tested on data from elsewhere; expect less there.")
    outlines = [one for one in estimates if _OUTLINES in one]
    few = [this_part(one) for one in outlines if one[_OUTLINES]["dice"]["low"] is None]
    if few:
        lines.append(f"Too few groups for an interval: {', '.join(few)}.")
    if any(not one["lesion_free_cases"]["n"] for one in outlines):
        lines.append("What it marks in images without a lesion is not known where there were none.")
    if not any(one["calibration"]["after"] for one in outlines):
        lines.append("Its probabilities were not calibrated.")
    lines.append("Nobody has shown that the model is safe or useful in the clinic.")
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in lines)


def _write_figures(path: Path, metadata: dict[str, Any], estimates: Mapping[str, Metrics]) -> None:
    """Put the Dice of lesion cases, with n and interval, into ``eval_metrics``, where MONAI's model zoo has figures."""
    kept = ("mean", "low", "high", "n", "groups")
    figures = {
        evaluation_title(one, Path(name)): {
            "dice_of_lesion_cases": {key: one["lesion_cases"]["dice"][key] for key in kept},
            "missed": one["lesion_cases"]["missed"],
            "weights_sha256": one["weights_sha256"],
        }
        for name, one in estimates.items()
        if _OUTLINES in one
    }
    text = json.dumps({**metadata, "eval_metrics": figures}, indent=4, ensure_ascii=False)
    write_text(path, text + "\n", overwrite=True)
