"""The split file: who is in which part, and a hash that every result repeats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from monai_tumor.cases import Case, natural_key
from monai_tumor.errors import WrongCallError, WrongDataError, unknown_name
from monai_tumor.splits.stratified import fold_groups, split_groups
from monai_tumor.wording import count_of

VERSION = 2
PARTS = ("training", "validation", "test")
QUARANTINE = "quarantine"
"""The part of cases that contradict each other: nothing trains on them and no figure rests on them."""
_RULE = "by group and near-duplicate cluster, stratified by label and lesion presence"
FRACTIONS: Mapping[str, float] = {"training": 0.7, "validation": 0.2, "test": 0.1}


@dataclass(frozen=True, slots=True)
class SplitEntry:
    """What a split says about one case.

    Attributes:
        group: What the files call one: the patient where known.
        cluster: What must not be divided: the groups that share a frame, under one name.
        part: One of ``PARTS``, or the number of the fold in which the case is tested, counted from 0, or ``QUARANTINE``.
        label: Diagnosis, or None.
        lesion: Whether the reference has a lesion; None without a reference.
        digest: Digest of the case's files.
        pixels: Digest of the picture, which other copies of it share; empty for a blank picture, which shows nobody.
        hash: 64 hexadecimal digits of the perceptual hash, empty for a blank picture.
        reason: Why it is in quarantine, else empty.
    """

    group: str
    cluster: str
    part: str | int
    label: str | None
    lesion: bool | None
    digest: str
    pixels: str
    hash: str
    reason: str = ""


@dataclass(frozen=True)
class Split:
    """Which case is in which part; a split that divides a group or a cluster cannot be made.

    Attributes:
        dataset: Name of the data set.
        seed: Seed of the division.
        rule: How the cases were divided, in words.
        fingerprint: Digest of the content of all cases, from ``data_fingerprint``.
        cases: Case id to its entry; outside of the quarantine all entries hold part names, or all hold fold numbers.
        dropped: Case id to why it was left out altogether.

    Raises:
        WrongDataError: No cases, a group or cluster in two parts, or parts that are neither all names nor the folds 0, 1, 2 ...
    """

    dataset: str
    seed: int
    rule: str
    fingerprint: str
    cases: Mapping[str, SplitEntry]
    dropped: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _refuse_wrong_parts({entry.part for entry in self.cases.values()} - {QUARANTINE})
        _refuse_divided(self.cases)

    @property
    def folds(self) -> int:
        """The number of folds; 0 for a split into named parts."""
        found = {entry.part for entry in self.cases.values()} - {QUARANTINE}
        return 0 if found & set(PARTS) else len(found)

    @cached_property
    def hash(self) -> str:
        """The sha256 of the content as canonical JSON, as hexadecimal digits."""
        text = json.dumps(self.content(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def content(self) -> dict[str, Any]:
        """Return everything but the hash as JSON-able values, cases in natural order."""
        return {
            "version": VERSION,
            "dataset": self.dataset,
            "seed": self.seed,
            "rule": self.rule,
            "fingerprint": self.fingerprint,
            "cases": {name: _plain(self.cases[name]) for name in sorted(self.cases, key=natural_key)},
            "dropped": {name: self.dropped[name] for name in sorted(self.dropped, key=natural_key)},
        }

    def ids(self, part: str, fold: int | None = None) -> list[str]:
        """List the case ids of a part in natural order.

        With folds, fold ``k`` is the test part, fold ``k + 1`` (or 0 after the last) validation, the rest training.

        Args:
            part: One of ``PARTS``, or ``QUARANTINE``.
            fold: Which fold is tested; needed when the split has folds, else not allowed.

        Raises:
            WrongCallError: Unknown part, or a fold that is missing, superfluous or not there.
        """
        if part not in (*PARTS, QUARANTINE):
            raise unknown_name("part", part, (*PARTS, QUARANTINE))
        wanted = {QUARANTINE} if part == QUARANTINE else self._places(part, fold)
        return sorted((name for name, entry in self.cases.items() if entry.part in wanted), key=natural_key)

    def clusters(self, part: str, fold: int | None = None) -> set[str]:
        """Return the clusters of a part; arguments and errors as in ``ids``."""
        return {self.cases[name].cluster for name in self.ids(part, fold)}

    def _places(self, part: str, fold: int | None) -> set[str | int]:
        if not self.folds:
            if fold is not None:
                raise WrongCallError(f"fold {fold} was asked for, but this split has no folds; leave the fold out")
            return {part}
        if fold is None or not 0 <= fold < self.folds:
            raise WrongCallError(f"fold {fold} is not in this split; give a fold from 0 to {self.folds - 1}")
        test, validation = fold, (fold + 1) % self.folds
        held_out: set[str | int] = {test, validation}
        chosen: dict[str, set[str | int]] = {"test": {test}, "validation": {validation}}
        training: set[str | int] = set(range(self.folds))
        return chosen.get(part, training - held_out)


def make_split(
    dataset_name: str,
    entries: Mapping[str, SplitEntry],
    seed: int = 0,
    fractions: Mapping[str, float] = FRACTIONS,
    dropped: Mapping[str, str] | None = None,
) -> Split:
    """Divide cases into named parts: by cluster, balanced by label and lesion presence.

    Args:
        dataset_name: Name of the data set.
        entries: Case id to what is known of it; a part other than ``QUARANTINE`` is replaced.
        seed: Seed of the division.
        fractions: Part name (of ``PARTS``) to its share of the cases.
        dropped: Case id to why it was left out.

    Raises:
        WrongCallError: A part has another name, or the fractions are not shares.
        WrongDataError: There are fewer clusters than parts.
    """
    for name in fractions:
        if name not in PARTS:
            raise unknown_name("part", name, PARTS)
    chosen = _divided(entries)
    clusters, strata = [entry.cluster for entry in chosen.values()], list(map(_stratum, chosen.values()))
    parts = split_groups(clusters, strata, fractions, seed)
    shares = ", ".join(f"{name} {share:g}" for name, share in fractions.items())
    return _build(dataset_name, entries, seed, f"{_RULE}: {shares}", dict(zip(chosen, parts, strict=True)), dropped)


def make_folds(
    dataset_name: str,
    entries: Mapping[str, SplitEntry],
    seed: int,
    count: int,
    dropped: Mapping[str, str] | None = None,
) -> Split:
    """Divide cases into ``count`` folds, as ``make_split`` does into parts.

    Raises:
        WrongCallError: ``count`` is below 3: one fold tests, one validates, and at least one trains.
        WrongDataError: There are fewer clusters than folds.
    """
    check_fold_count(count)
    chosen = _divided(entries)
    clusters, strata = [entry.cluster for entry in chosen.values()], list(map(_stratum, chosen.values()))
    folds = fold_groups(clusters, strata, count, seed)
    return _build(
        dataset_name, entries, seed, f"{_RULE}: {count} folds", dict(zip(chosen, folds, strict=True)), dropped
    )


def check_fold_count(count: int) -> None:
    """Refuse too few folds.

    Raises:
        WrongCallError: ``count`` is below 3: one fold tests, one validates, and at least one trains.
    """
    if count < 3:
        raise WrongCallError(
            f"{count_of(count, 'fold leaves', 'folds leave')} none to train on: one tests, one validates; ask for 3 or more"
        )


def published_split(
    dataset_name: str,
    entries: Mapping[str, SplitEntry],
    fold_of: Mapping[str, int],
    source: str,
    dropped: Mapping[str, str] | None = None,
) -> Split:
    """Divide cases into the folds that the makers of a data set published.

    Args:
        dataset_name: Name of the data set.
        entries: Case id to what is known of it; a part other than ``QUARANTINE`` is replaced.
        fold_of: Case id to its fold, counted from 0.
        source: Where the folds stand, with the digest of that file; becomes part of the rule.
        dropped: Case id to why it was left out.

    Raises:
        WrongDataError: The published folds divide a cluster, or lack a case.
    """
    missing = [name for name in entries if name not in fold_of]
    if missing:
        raise WrongDataError(
            f"{source} has no fold for {count_of(len(missing), 'case', 'cases')} ({_first(set(missing))}); get the whole file"
        )
    return _build(dataset_name, entries, 0, f"published folds: {source}", fold_of, dropped)


def data_fingerprint(digests: Mapping[str, str]) -> str:
    """Return one digest (sha256, hexadecimal) of the case ids and their content digests."""
    text = json.dumps(dict(digests), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def check_split(split: Split, cases: Sequence[Case], digests: Mapping[str, str] | None = None) -> None:
    """Refuse a split that was made for other data.

    Args:
        split: The split.
        cases: The cases that are there now.
        digests: Their content digests; without them only ids, groups and labels are compared.

    Raises:
        WrongDataError: Cases are missing, new or changed; says how many and names the first ones.
    """
    now = {case.id: case for case in cases}
    differences = {
        "missing": split.cases.keys() - now.keys(),
        "new": now.keys() - split.cases.keys() - split.dropped.keys(),
        "changed": {
            name for name in split.cases.keys() & now.keys() if _changed(split.cases[name], now[name], digests)
        },
    }
    told = [f"{len(names)} {what} ({_first(names)})" for what, names in differences.items() if names]
    if told:
        raise WrongDataError(
            f"the split of data set {split.dataset!r} does not fit the data: cases {', '.join(told)}; "
            "give the folder that it was made for, or make a new split"
        )


def write_split(path: str | Path, split: Split, overwrite: bool = False) -> None:
    """Write a split file (JSON), whole or not at all.

    Raises:
        WrongDataError: The file exists and ``overwrite`` is False.
    """
    from monai_tumor.imaging.write import write_text  # brings image libraries, which reading a split does not need

    text = json.dumps({**split.content(), "hash": split.hash}, indent=1, ensure_ascii=False)
    write_text(Path(path), text + "\n", overwrite=overwrite)


def read_split(path: str | Path) -> Split:
    """Read a split file and check that it is whole and unchanged.

    Raises:
        WrongDataError: The file cannot be read, is not JSON, is of an unknown version, lacks a key, divides a group,
            or differs from its own hash.
    """
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongDataError(f"split file {path} cannot be read ({error.strerror}); give its path") from error
    except ValueError as error:
        raise WrongDataError(f"split file {path} is not JSON ({error}); copy it again or make a new split") from error
    version = raw.get("version") if isinstance(raw, dict) else None
    if version != VERSION:
        raise WrongDataError(f"split file {path} has version {version}, expected {VERSION}; is it a split file?")
    try:
        split = _parse(raw)
    except WrongDataError as error:
        raise WrongDataError(f"split file {path}: {error}") from error
    if split.hash != raw.get("hash"):
        raise WrongDataError(
            f"split file {path} was changed by hand: its hash is {raw.get('hash')}, its content gives {split.hash}; "
            "restore it or make a new split"
        )
    return split


def _parse(raw: Mapping[str, Any]) -> Split:
    try:
        entries = {name: _entry(name, entry) for name, entry in raw["cases"].items()}
        return Split(raw["dataset"], raw["seed"], raw["rule"], raw["fingerprint"], entries, raw["dropped"])
    except KeyError as error:
        raise WrongDataError(f"the key {error} is missing; copy it again or make a new split") from error
    except (AttributeError, TypeError) as error:
        raise WrongDataError(f"a value has another type than a split has ({error}); make a new split") from error


def _entry(name: str, raw: Mapping[str, Any]) -> SplitEntry:
    part = raw["part"] if "part" in raw else raw["fold"]
    if not isinstance(part, str) and type(part) is not int:
        raise WrongDataError(f"case {name!r} has the part {part!r}; expected a name or a fold number")
    values = {key: raw[key] for key in ("group", "label", "lesion", "digest", "pixels", "hash")}
    return SplitEntry(part=part, cluster=raw.get("cluster", raw["group"]), reason=raw.get("reason", ""), **values)


def _build(
    dataset_name: str,
    entries: Mapping[str, SplitEntry],
    seed: int,
    rule: str,
    places: Mapping[str, str | int],
    dropped: Mapping[str, str] | None,
) -> Split:
    placed = {
        name: entry if entry.part == QUARANTINE else replace(entry, part=places[name])
        for name, entry in entries.items()
    }
    prints = data_fingerprint({name: entry.digest for name, entry in placed.items()})
    return Split(dataset_name, seed, rule, prints, placed, dict(dropped or {}))


def _divided(entries: Mapping[str, SplitEntry]) -> dict[str, SplitEntry]:
    return {name: entry for name, entry in entries.items() if entry.part != QUARANTINE}


def _stratum(entry: SplitEntry) -> str:
    return f"{entry.label}/{entry.lesion}"


def _plain(entry: SplitEntry) -> dict[str, Any]:
    """Return the entry as JSON-able values; what says nothing is left out."""
    values = {
        name: getattr(entry, name)
        for name in ("group", "cluster", "part", "label", "lesion", "digest", "pixels", "hash")
    }
    if values["cluster"] == values["group"]:
        del values["cluster"]
    if not isinstance(entry.part, str):
        values["fold"] = values.pop("part")
    return {**values, "reason": entry.reason} if entry.reason else values


def _changed(entry: SplitEntry, case: Case, digests: Mapping[str, str] | None) -> bool:
    if (entry.group, entry.label) != (case.group, case.label):
        return True
    return digests is not None and digests.get(case.id) != entry.digest


def _first(names: set[str], count: int = 3) -> str:
    listed = sorted(names, key=natural_key)
    return ", ".join(listed[:count]) + (", ..." if len(listed) > count else "")


def _refuse_wrong_parts(found: set[str | int]) -> None:
    if not found:
        raise WrongDataError("the split has no cases; it needs at least one")
    if found <= set(PARTS):
        return
    if found != set(range(len(found))) or len(found) < 3:
        names = ", ".join(sorted(map(repr, found)))
        raise WrongDataError(f"the split has the parts {names}; expected {', '.join(PARTS)}, or folds 0, 1, 2 ...")


def _refuse_divided(cases: Mapping[str, SplitEntry]) -> None:
    """Refuse a group or a cluster in two parts; in quarantine nothing is trained or tested, so it does not count."""
    seen: dict[tuple[str, str], tuple[str, str | int]] = {}
    for name, entry in cases.items():
        if entry.part == QUARANTINE:
            continue
        for kind, owner in (("group", entry.group), ("cluster", entry.cluster)):
            first, part = seen.setdefault((kind, owner), (name, entry.part))
            if part != entry.part:
                raise WrongDataError(
                    f"{kind} {owner!r} is in two parts: case {first!r} in {part!r}, case {name!r} in {entry.part!r}; "
                    f"a {kind} must not be divided: make the split again"
                )
