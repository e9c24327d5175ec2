"""The model card of a run, written from its own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monai_tumor.imaging.write import write_text


def write_card(run: Path) -> Path:
    """Write ``docs/README.md`` of a run from its ``run.json`` and evaluations, and return its path."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    metadata_file = run / "configs" / "metadata.json"
    metadata = json.loads(metadata_file.read_text(encoding="utf-8")) if metadata_file.is_file() else {}
    evaluations = sorted((run / "evaluation").glob("*/metrics.json"))
    sections = [
        f"# {metadata.get('name', record['bundle'])}",
        metadata.get("description", ""),
        f"**Intended use.** {metadata.get('intended_use', 'Research only. Not a medical device.')}",
        _data(record["data"]),
        _training(record),
        *[_evaluation(path) for path in evaluations],
        "## Limits\n\nThe figures hold for data like the test part above and for nothing else. Nobody has shown that the "
        "model is safe or useful in the clinic.",
    ]
    path = run / "docs" / "README.md"
    write_text(path, "\n\n".join(sections) + "\n", overwrite=True)
    return path


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
    return (
        "no epoch could be chosen" if best is None else f"best epoch {record['best_epoch']}, validation Dice {best:.3f}"
    )


def _training(record: dict[str, Any]) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in record["settings"].items())
    return (
        f"## Training\n\n{settings}; seed {record['seed']}. Status: {record['status']}; {_chosen(record)} (chosen on the "
        "validation part, so this is no estimate of quality)."
    )


def _evaluation(path: Path) -> str:
    metrics = json.loads(path.read_text(encoding="utf-8"))
    weights, split = metrics["weights_sha256"][:12], metrics["split"][:12]
    identity = f"Threshold {metrics['threshold']}, weights `{weights}`, split `{split}`.\n\n"
    return f"## Evaluation {path.parent.name}\n\n{identity}" + "\n".join(f"- {line}" for line in metrics["text"])
