"""What of a run's own files may leave the house: figures and settings, and nothing that says who its cases are.

Numbers stay. Of texts only those stay that the toolkit writes itself, under keys that are listed here: whatever anybody
has written elsewhere is left out, unread.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from monai_tumor.metrics.subgroups import SIZES
from monai_tumor.splits.split import Split, SplitEntry

_DIGESTS = ("split", "fingerprint", "data_fingerprint", "weights_sha256", "prediction_sha256", "inputs_sha256")
_WORDS = ("part", "task", "kind", "status", "bundle", "dataset", "metric", "mask_source", "positive", "classes", "date")
_SENTENCES = (
    "rule",
    "policy",
    "text",
    "note",
    "chosen_on",
    "calibrated_on",
    "fitted_on",
    "operating_point",
    "guarantee",
)
_TEXTS = frozenset(
    {*_DIGESTS, *_WORDS, *_SENTENCES, "masks_sha256", "versions", "hardware", "started", "ended", "pixels"}
)
# Of run.json: neither the command nor the times of resumes, nor what is not known here.
_RECORD = (
    *(
        "status",
        "kind",
        "folds",
        "bundle",
        "started",
        "ended",
        "seed",
        "data",
        "versions",
        "hardware",
        "metric",
        "best",
    ),
    *("best_epoch", "history", "cpu_seconds", "peak_memory_mib", "weights_sha256"),
)
_HARDWARE = ("device", "machine", "system", "cores", "capability", "threads")
_MEMBER = ("best", "best_epoch", "cpu_seconds", "weights_sha256")
_KEY = re.compile(r"\w[\w .:%+-]{0,79}")
_WORD = re.compile(r"[\w.:+-]{1,64}")
# The groupings of cases whose names are not anybody's own words.
_SUBGROUPS: Mapping[str, Collection[str]] = {
    "label": ("normal", "benign", "malignant"),
    "lesion_size": tuple(SIZES),
}


def portable_record(record: Mapping[str, Any], known: Collection[str] = ()) -> dict[str, Any]:
    """Return what of ``run.json`` others need: no command, no paths, no file names.

    Args:
        record: Its content.
        known: Words that a setting may have, such as the names of recipes; other words of the user are left out.
    """
    kept: dict[str, Any] = portable({name: record[name] for name in _RECORD if name in record})
    if "hardware" in kept:
        kept["hardware"] = {name: value for name, value in kept["hardware"].items() if name in _HARDWARE}
    kept["settings"] = {name: value for name, value in record["settings"].items() if _is_setting(name, value, known)}
    if "members" in record:
        kept["members"] = [
            {"run": f"fold-{fold}", **portable({name: member[name] for name in _MEMBER if name in member})}
            for fold, member in enumerate(record["members"])
        ]
    return kept


def portable_figures(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of ``metrics.json`` is about all cases together, or about a class or a size of lesions."""
    kept: dict[str, Any] = portable(content)
    groupings = kept.get("subgroups")
    if not isinstance(groupings, dict):
        return kept
    dropped = {
        (kind, value)
        for kind, parts in content["subgroups"].items()
        for value in parts
        if value not in _SUBGROUPS.get(kind, ())
    }
    kept["subgroups"] = {
        kind: {value: part for value, part in parts.items() if (kind, value) not in dropped}
        for kind, parts in groupings.items()
        if kind in _SUBGROUPS
    }
    starts = tuple(f"{kind.replace('_', ' ')} {value}" for kind, value in dropped)
    kept["text"] = [line for line in kept.get("text", ()) if not (starts and line.startswith(starts))]
    return kept


def portable(value: Any, is_text_known: bool = False) -> Any:
    """Return a JSON-able value with its numbers, and with those texts that lie under a listed key."""
    if isinstance(value, dict):
        return {
            name: portable(item, is_text_known or name in _TEXTS)
            for name, item in value.items()
            if _KEY.fullmatch(name) and (is_text_known or name in _TEXTS or not isinstance(item, str))
        }
    if isinstance(value, list):
        return [portable(item, is_text_known) for item in value if is_text_known or not isinstance(item, str)]
    return value


def portable_identity(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of ``evaluation.json`` an external test is known again by: digests of pixels, no sketches of pictures."""
    kept: dict[str, Any] = portable({name: value for name, value in identity.items() if name != "hashes"})
    return {**kept, "hashes": []} if "hashes" in identity else kept


def portable_split(split: Split) -> Split:
    """Return a split by which pictures that the run has learnt from are known again, and nobody else.

    Ids and groups become keyed hashes. The key is a digest of the whole split, file digests and all, so that only who has
    the data can tell which id became which, and packing a run twice gives the same bytes. Diagnoses and file digests go.
    Digests of pixels stay: they say nothing to those who do not have the very picture. Perceptual hashes go: such a hash is
    a picture of 16 by 16 points, and tells a patient's other pictures too.
    """
    key = hashlib.sha256(b"pack" + json.dumps(split.content(), sort_keys=True).encode()).digest()

    def hashed(name: str) -> str:
        return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:32]

    def entry(one: SplitEntry) -> SplitEntry:
        group, cluster = hashed(f"group {one.group}"), hashed(f"group {one.cluster}")
        return SplitEntry(group, cluster, one.part, None, None, digest="", pixels=one.pixels, hash="")

    cases = {hashed(f"case {name}"): entry(one) for name, one in split.cases.items()}
    return replace(split, cases=cases, dropped={})


def _is_setting(name: str, value: Any, known: Collection[str]) -> bool:
    if not _KEY.fullmatch(name):
        return False
    if name == "recipe":
        return value in known
    words = value if isinstance(value, list) else [value]
    return all(not isinstance(word, str) or _WORD.fullmatch(word) for word in words) and not isinstance(value, dict)
