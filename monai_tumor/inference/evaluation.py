"""Evaluation: one row a case in the geometry of its file, then means with intervals."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ignite.engine import Engine, Events

from monai_tumor.duplicates.fingerprint import hash_distance
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.pictures import comparison_picture
from monai_tumor.imaging.write import write_mask, write_picture, write_text
from monai_tumor.metrics.measures import (
    ALL_CASE_MEASURES,
    COUNTS,
    FURTHER_LESION_MEASURES,
    LESION_COUNTS,
    LESION_MEASURES,
    MEASURES,
    Measure,
    ScoredCase,
    score_case,
)
from monai_tumor.metrics.summary import summarise_cases
from monai_tumor.pipeline import CaseSource
from monai_tumor.splits.split import Split, SplitEntry, read_split
from monai_tumor.training.record import file_sha256, versions
from monai_tumor.training.run_folder import claim_number

_PICTURES = 6
_LESION_WORDS = {"lesions": "reference", "found": "found", "missed": "missed", "false": "false"}

# Without the pictures nothing can be proved, so only hashes that strangers do not share count: among 53 000 pairs of head
# slices of different patients, which are as alike as strangers get, the nearest pair differs in 11 of 256 bits.
_SEEN_BITS = 8


class RecordEvaluation:
    """Compare every predicted mask with the reference in the file's own geometry; write masks, rows, figures and a picture.

    Writes ``evaluation/<number>-<part>/`` of the bundle: ``predictions/<case>.png``, ``cases.csv``, ``metrics.json`` and
    ``comparison.png``. The folder is claimed when the evaluator starts.

    Args:
        bundle_root: The run that is evaluated.
        source: Data and split.
        part: The part that is evaluated.
        threshold: The probability from which on a pixel is lesion; recorded.
        seed: Seed of the intervals.
    """

    def __init__(self, bundle_root: str, source: CaseSource, part: str, threshold: float, seed: int = 0) -> None:
        self.root, self.source, self.part = Path(bundle_root), source, part
        self.threshold, self.seed = threshold, seed
        self.rows: list[ScoredCase] = []
        self.folder: Path | None = None

    def attach(self, engine: Engine) -> None:
        """Follow the evaluator ``engine``."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, engine: Engine) -> None:
        """Refuse a test on what the run has seen, then claim the folder.

        Raises:
            WrongDataError: A test case, or another case of its group, was in the training or validation part of the run.
        """
        self.rows = []
        if self.part == "test" and (self.root / "split.json").is_file():
            refuse_seen_cases(read_split(self.root / "split.json"), self.source)
        self.folder = claim_number(self.root / "evaluation", f"-{self.part}")

    def add(self, engine: Engine) -> None:
        """Score the cases of one batch (decollated: ``pred`` is (1, source rows, source columns) of 0 and 1)."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            case = self.source.case(item["case"])
            mask = binary_mask(output["pred"])
            reference = self.source.load(case.id)[1]
            if reference is not None:
                group = self.source.split.cases[case.id].cluster
                # Not every data set knows the scanner.
                about = {"label": case.label, "scanner": getattr(case, "scanner", None), "dataset": self.source.name}
                self.rows.append(score_case(case.id, group, mask, reference, **about))
            write_mask(self._mask_path(case.id), mask)

    def finish(self, engine: Engine) -> None:
        """Write rows, figures and the picture, and say what came out."""
        folder = self._claimed()
        summary = summarise_cases(self.rows, self.seed)
        lines = summary_lines(summary)
        identity = {
            "part": self.part,
            "dataset": self.source.name,
            "split": self.source.split.hash,
            "weights_sha256": file_sha256(self.root / "models" / "model.pt"),
            "threshold": self.threshold,
            "seed": self.seed,
            "versions": versions(),
        }
        metrics = {**identity, "text": lines, **summary}
        write_text(folder / "cases.csv", cases_table(self.rows))
        write_text(folder / "metrics.json", json.dumps(metrics, indent=1, ensure_ascii=False) + "\n")
        write_picture(folder / "comparison.png", self._picture())
        print("\n".join([f"{self.part} part of {self.source.name}:", *lines, f"evaluation: {folder}"]), file=sys.stderr)

    def _picture(self) -> npt.NDArray[np.uint8]:
        """Cases spread evenly from the worst to the best Dice, so that nobody picks the pretty ones."""
        ranked = sorted(
            (row for row in self.rows if row.overlap.has_reference_lesion), key=lambda row: row.overlap.dice
        )
        ranked = ranked or self.rows
        places = np.linspace(0, len(ranked) - 1, min(_PICTURES, len(ranked))).round().astype(int)
        return comparison_picture([self._picture_row(ranked[place]) for place in places])

    def _picture_row(self, row: ScoredCase) -> Any:
        from monai_tumor.imaging.read import read_mask

        image, reference = self.source.load(row.id)
        return image, reference, read_mask(self._mask_path(row.id)), f"Dice {row.overlap.dice:.3f}  {row.id}"

    def _mask_path(self, case_id: str) -> Path:
        return self._claimed() / "predictions" / f"{case_id}.png"

    def _claimed(self) -> Path:
        if self.folder is None:
            raise RuntimeError("the evaluator has not started")
        return self.folder


def refuse_seen_cases(run_split: Split, source: CaseSource) -> None:
    """Refuse test cases that a run was trained or chosen on, also as another copy of the picture.

    Compared are the digests of files and of pixels, and groups and clusters where the run knows a picture of this data,
    under whatever name. A case that the run does not know is compared by its perceptual hash as well. Blank pictures show
    nobody, so only their group counts.

    Raises:
        WrongDataError: Says how many there are and names the first, with the reason.
    """
    seen = {name: entry for name, entry in run_split.cases.items() if entry.part in ("training", "validation")}
    tested = {name: source.split.cases[name] for name in source.split.ids("test")}
    own = {entry.pixels: entry for entry in run_split.cases.values() if entry.pixels}
    same_data = run_split.dataset == source.name or any(e.pixels in own for e in source.split.cases.values())
    owners = _owners(seen.values()) if same_data else set()
    seen_pixels, reasons = {entry.pixels for entry in seen.values()}, dict[str, str]()
    for name, entry in tested.items():
        known = [entry, own[entry.pixels]] if entry.pixels in own else [entry]
        if entry.pixels and entry.pixels in seen_pixels:
            reasons[name] = "the same pixels"
        elif owners & _owners(known):
            reasons[name] = "the same group"
    strangers = {name: entry.hash for name, entry in tested.items() if entry.pixels not in own and entry.hash}
    reasons |= dict.fromkeys(
        _nearly_equal(strangers, [entry.hash for entry in seen.values()]), "nearly the same picture"
    )
    if reasons:
        name, reason = next(iter(reasons.items()))
        raise WrongDataError(
            f"{len(reasons)} of {len(tested)} test cases were in the training or validation part of this run ({name!r} first: "
            f"{reason}), so this would be no test; evaluate on the run's own split, or leave these cases out"
        )


def _owners(entries: Iterable[SplitEntry]) -> set[str]:
    return {owner for entry in entries for owner in (entry.group, entry.cluster)}


def _nearly_equal(hashes: Mapping[str, str], seen: Sequence[str]) -> list[str]:
    """Return the names whose hash is almost that of a picture that was seen."""
    known = _bits([text for text in seen if text])
    near = [bool((hash_distance(_bits([text]), known) <= _SEEN_BITS).any()) for text in hashes.values()]
    return [name for name, is_near in zip(hashes, near, strict=True) if is_near]


def _bits(hashes: Sequence[str]) -> npt.NDArray[np.uint64]:
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint64).reshape(-1, 4)


def binary_mask(prediction: Any) -> npt.NDArray[np.bool_]:
    """Return (rows, columns) bool of a (1, rows, columns) tensor or array of 0 and 1."""
    array = prediction.detach().cpu().numpy() if hasattr(prediction, "detach") else np.asarray(prediction)
    return np.asarray(array[0] > 0.5)


def cases_table(rows: list[ScoredCase]) -> str:
    """Return one CSV row a case: id, group, label, counts of pixels and lesions, figures (empty where undefined)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    lesions = (f"lesions_{name}" for name in LESION_COUNTS)
    figures = (one.name for one in MEASURES)
    writer.writerow(["case", "group", "label", *COUNTS, "reference_share", *lesions, *figures])
    for row in rows:
        values = [
            *(getattr(row.overlap, name) for name in COUNTS),
            row.overlap.reference_share,
            *(getattr(row.lesions, name, math.nan) for name in LESION_COUNTS),
            *(one.of(row) for one in MEASURES),
        ]
        writer.writerow([row.id, row.group, row.label or "", *("" if value != value else value for value in values)])
    return text.getvalue()


def summary_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return the summary in words, one figure a line, each with n and interval; then two lines a subgroup at most."""
    lesion, free, lesions = summary["lesion_cases"], summary["lesion_free_cases"], summary["lesions"]
    lines = [f"lesion cases: {lesion['n']}, missed: {lesion['missed']}"]
    if lesion["n"]:
        lines += _lines(LESION_MEASURES + FURTHER_LESION_MEASURES, lesion)
    lines.append(f"lesion-free cases: {free['n']}, with false positive: {free['with_false_positive']}")
    if free["n"]:
        lines.append(f"specificity: {free['specificity']['text']}")
        lines.append(f"false-positive area in pixels: {free['false_positive_area_px']['text']}")
    lines.append(", ".join(f"{name}: {lesions[key]}" for name, key in _LESION_WORDS.items()))
    lines += [f"all cases: {summary['cases']}", *_lines(ALL_CASE_MEASURES, summary["all_cases"])]
    return lines + [line for name, parts in summary["subgroups"].items() for line in _subgroup_lines(name, parts)]


def _lines(measures: Sequence[Measure], means: Mapping[str, Any]) -> list[str]:
    return [f"{one.label}: {means[one.name]['text']}" for one in measures]


def _subgroup_lines(name: str, parts: Mapping[str, Any]) -> Iterator[str]:
    for value, summary in parts.items():
        title, lesion, free = f"{name.replace('_', ' ')} {value}", summary["lesion_cases"], summary["lesion_free_cases"]
        if lesion["n"]:
            yield f"{title}: missed {lesion['missed']} of {lesion['n']}, dice: {lesion['dice']['text']}"
        if free["n"]:
            yield f"{title}: false positive in {free['with_false_positive']} of {free['n']} lesion-free cases"
