"""Where the figures come from: data, model, operating point, training, software; and how to cite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from monai_tumor.reporting.markup import Html, facts, number, text
from monai_tumor.reporting.names import this_part
from monai_tumor.wording import count_of

NOT_RECORDED = "not recorded"
_PARTS = ("training", "validation", "test")
_MONAI = "Cardoso et al., MONAI: An open-source framework for deep learning in healthcare, 2022, arXiv:2211.02701"

Facts = Iterator[tuple[str, str]]


def provenance(metrics: Mapping[str, Any], record: Mapping[str, Any], model: Iterable[tuple[str, str]]) -> str:
    """Return all that is known of the origin of the figures.

    Args:
        metrics: What ``metrics.json`` of the evaluation holds.
        record: What ``run.json`` of the run holds.
        model: Names and values beside bundle, recipe and weights: how the outputs of the network became what is measured.
    """
    groups: list[tuple[str, Facts]] = [
        ("Data", _data(metrics, record)),
        ("Model", chain(_model(metrics, record), model)),
        ("Training", _training(record)),
        ("Software and machine", _software(metrics, record)),
    ]
    if metrics.get("sealed"):
        groups.insert(0, ("Sealed external test", _flat(metrics["sealed"])))
    inner = "".join(f'<div class="facts"><h3>{text(heading)}</h3>{facts(rows)}</div>' for heading, rows in groups)
    return f'<div class="columns">{inner}</div>'


def model_facts(metrics: Mapping[str, Any]) -> Facts:
    """Return how probabilities became masks."""
    per_fold = metrics["threshold"] is None
    yield "Threshold", "one for each fold" if per_fold else words_of(metrics["threshold"])
    yield "Smallest area", "one for each fold" if per_fold else _area_words(metrics.get("smallest_area"))
    yield "Temperature", words_of((metrics.get("calibration") or {}).get("temperature"))
    yield "These were", operating_point_words(metrics)
    yield "Test-time augmentation", words_of(metrics.get("tta"))
    yield "Predictions of a case", words_of(metrics.get("maps", 1))


def citation(metrics: Mapping[str, Any]) -> str:
    """Return what a publication has to cite."""
    version = metrics.get("versions", {}).get("monai-tumor", NOT_RECORDED)
    dataset = metrics["dataset"]
    lines = [
        Html(f"monai-tumor, version {text(version)} (software), with the hash of the weights above."),
        Html(f"{text(_MONAI)}."),
        Html(f"The data set <b>{text(dataset)}</b>: by the paper of those who made it, as its own page asks for."),
    ]
    return f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"


def words_of(value: Any) -> str:
    """Return a recorded value in words."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {words_of(one)}" for name, one in value.items())
    return ", ".join(map(words_of, value)) if isinstance(value, (list, tuple)) else str(value)


def operating_point_words(metrics: Mapping[str, Any]) -> str:
    """Return what threshold, smallest area and temperature were chosen on."""
    point = metrics.get("operating_point")
    return f"chosen on {point['chosen_on']}" if point else "not chosen on data: the bundle's own setting"


def _data(metrics: Mapping[str, Any], record: Mapping[str, Any]) -> Facts:
    data = record.get("data") or {}
    yield "Data set", metrics["dataset"]
    yield "Evaluated", f"{this_part(metrics)}: {_counted(metrics['cases'], metrics['groups'])}"
    yield "Split, sha256", metrics["split"]
    if metrics.get("data_fingerprint") not in (None, data.get("fingerprint")):
        yield "Fingerprint of the evaluated data", metrics["data_fingerprint"]
    if data:
        # An external test is on data that the run has not seen, so the two need not be the same.
        yield "Trained on", f"{data['dataset']}{', synthetic images' if data.get('synthetic') else ''}"
        yield "Divided", data["rule"]
        if data["split"] != metrics["split"]:
            yield "Split of the training, sha256", data["split"]
        yield "Fingerprint", data["fingerprint"]
        for part in _PARTS:
            if part in data:
                yield f"{part.capitalize()} part", _part(data[part])
        if "whole" in data:
            yield "All folds", _part(data["whole"])


def _counted(cases: int, groups: int) -> str:
    return f"{count_of(cases, 'case', 'cases')}, {count_of(groups, 'group', 'groups')}"


def _part(counts: Mapping[str, int]) -> str:
    lesions = f"{counts['with_lesion']} with lesion, {counts['lesion_free']} lesion-free"
    return f"{_counted(counts['cases'], counts['groups'])}; {lesions}"


def _model(metrics: Mapping[str, Any], record: Mapping[str, Any]) -> Facts:
    settings = record.get("settings") or {}
    yield "Bundle", record.get("bundle", NOT_RECORDED)
    yield "Recipe", words_of(settings.get("recipe"))
    yield "Weights, sha256", metrics["weights_sha256"]


def _area_words(share: float | None) -> str:
    return "every component is kept" if not share else f"{100 * share:g} % of the image"


def _training(record: Mapping[str, Any]) -> Facts:
    yield "Status", record.get("status", NOT_RECORDED)
    yield "Seed", words_of(record.get("seed"))
    if record.get("best") is not None:
        yield (
            "Best epoch",
            f"{record['best_epoch']}, validation figure {number(record['best'])}: it was chosen by this, so it is too good",
        )
    yield "Epochs trained", words_of(len(record.get("history") or []))
    if "cpu_seconds" in record:
        yield "CPU time", _time(record["cpu_seconds"])
    if "peak_memory_mib" in record:
        yield "Peak memory", f"{record['peak_memory_mib']:,.0f} MiB"
    yield from ((name, record[name.lower()]) for name in ("Started", "Ended") if name.lower() in record)
    yield from _flat({name: value for name, value in (record.get("settings") or {}).items() if name != "recipe"})


def _software(metrics: Mapping[str, Any], record: Mapping[str, Any]) -> Facts:
    evaluated, trained = metrics.get("versions") or {}, record.get("versions") or {}
    for name, version in evaluated.items():
        yield name, version if trained.get(name, version) == version else f"{version} (training: {trained[name]})"
    yield "Seed of the intervals", words_of(metrics.get("seed"))
    yield from _flat(record.get("hardware") or {})


def _flat(values: Mapping[str, Any]) -> Facts:
    for name, value in values.items():
        yield name.replace("_", " "), words_of(value)


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"
