"""Join trained folds: their folder becomes a trained bundle whose network is all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_tumor.errors import WrongDataError
from monai_tumor.folds.child import read_record
from monai_tumor.folds.plan import NETWORK
from monai_tumor.imaging.write import write_bytes, write_text
from monai_tumor.reporting.card import write_card
from monai_tumor.splits.split import Split

_MEMBER = ("weights_sha256", "best", "best_epoch", "cpu_seconds")


def join_folds(path: Path, runs: Sequence[Path], split: Split) -> None:
    """Write ``configs/``, ``models/model.pt``, ``run.json``, ``docs/README.md`` and ``LICENSE`` of a fold set.

    Nothing is written where they are there already, made of these very runs. ``run.json`` is written last but for the
    card, so that a killed call is noticed.

    Args:
        path: The fold set, whose ``split.json`` is there.
        runs: The trained runs of its folds, fold 0 first, in folders of it.
        split: The folds.

    Raises:
        WrongDataError: The runs are not of one kind.
    """
    records = [read_record(run) for run in runs]
    members = [{"run": run.name, **_part(record)} for run, record in zip(runs, records, strict=True)]
    former = read_record(path)
    if former.get("members") == members:
        return
    _write_configs(runs, path)
    weights = _join_weights(runs, path)
    record = {**_record(split, records), "members": members, "weights_sha256": weights}
    _write(path / "run.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    write_card(path)


def _part(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: record.get(name) for name in _MEMBER}


def _write_configs(runs: Sequence[Path], target: Path) -> None:
    """Write the configuration of fold 0 with an ensemble as network; that of the other folds must be the same."""
    source = runs[0] / "configs"
    for path in sorted(source.iterdir()):
        text = path.read_text(encoding="utf-8")
        if path.name in ("train.json", "inference.json"):
            network = json.loads(text)["network_def"]
            for run in runs[1:]:
                if json.loads((run / "configs" / path.name).read_text(encoding="utf-8"))["network_def"] != network:
                    raise WrongDataError(f"{run} has another network_def than {runs[0]}; train this fold again")
            text = _text({**json.loads(text), "network_def": ensemble_of(network, len(runs))})
        elif path.name == "metadata.json":
            text = _text(_described(json.loads(text), len(runs)))
        _write(target / "configs" / path.name, text)
    if (runs[0] / "LICENSE").is_file():
        write_bytes(target / "LICENSE", (runs[0] / "LICENSE").read_bytes(), overwrite=True)


def ensemble_of(network: Mapping[str, Any], members: int) -> dict[str, Any]:
    """Return the ``network_def`` of an ensemble of so many of these networks.

    Raises:
        WrongDataError: The network is not made by ``networks.build``.
    """
    if network.get("_target_") != NETWORK:
        raise WrongDataError(f"network_def is made by {network.get('_target_')}, expected {NETWORK}")
    return {**network, "_target_": f"{NETWORK}_ensemble", "members": members}


def _described(metadata: dict[str, Any], members: int) -> dict[str, Any]:
    """Let the metadata say that there is one map a fold."""
    output = metadata.get("network_data_format", {}).get("outputs", {}).get("pred", {})
    if output.get("num_channels") == 1:  # of a classifier there is one logit a class, as of one member
        meaning = output.get("channel_def", {}).get("0", "lesion")
        output["num_channels"] = members
        output["channel_def"] = {str(fold): f"{meaning}, by the network of fold {fold}" for fold in range(members)}
    return metadata


def _join_weights(runs: Sequence[Path], target: Path) -> str:
    """Write the weights of all folds as one state dict, and return its digest."""
    from monai_tumor.training.checkpoint import read_checkpoint, save_whole  # torch
    from monai_tumor.training.record import file_sha256

    weights: dict[str, Any] = {}
    for fold, run in enumerate(runs):
        weights |= {f"{fold}.{name}": value for name, value in read_checkpoint(run / "models" / "model.pt").items()}
    path = target / "models" / "model.pt"
    path.parent.mkdir(exist_ok=True)
    save_whole(weights, path)
    return file_sha256(path)


def _record(split: Split, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    from monai_tumor.training.record import case_counts, now

    first = records[0]
    folds = [[entry for entry in split.cases.values() if entry.part == fold] for fold in range(split.folds)]
    parameters = sum(record["settings"].get("parameters", 0) for record in records)
    return {
        "status": "finished",
        "kind": "folds",
        "folds": split.folds,
        "bundle": first["bundle"],
        "started": min(record["started"] for record in records),
        "ended": now(),
        "seed": first["seed"],
        "settings": {**first["settings"], "parameters": parameters},
        "data": {
            "dataset": split.dataset,
            "synthetic": first["data"]["synthetic"],
            "fingerprint": split.fingerprint,
            "split": split.hash,
            "rule": split.rule,
            "folds": [case_counts(entries) for entries in folds],
            "whole": case_counts([entry for entries in folds for entry in entries]),
        },
        "versions": first["versions"],
        "hardware": first["hardware"],
        "cpu_seconds": round(sum(record.get("cpu_seconds", 0) for record in records), 1),
    }


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=4, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    write_text(path, text, overwrite=True)
