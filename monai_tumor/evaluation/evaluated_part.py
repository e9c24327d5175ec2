"""What every evaluation of a part has to keep to, whatever is evaluated: which cases it may be of, and what its folder is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_tumor.errors import WrongCallError
from monai_tumor.evaluation.folder import EvaluationFolder
from monai_tumor.evaluation.parts import CALIBRATION, EXTERNAL, OUT_OF_FOLD, pictures_of
from monai_tumor.evaluation.sealed import sealed_name
from monai_tumor.evaluation.seen import LEARNT, refuse_seen_cases
from monai_tumor.pipeline import CaseSource
from monai_tumor.splits.split import check_split, read_split


def refuse_wrong_cases(root: Path, source: CaseSource, part: str, ids: Sequence[str]) -> None:
    """Refuse a test on what the run has seen, and a part that is not the run's own.

    Args:
        root: The run; one without ``split.json`` has seen nothing that is known.
        source: Data and split.
        part: One of ``parts.ALL_PARTS``.
        ids: The cases.

    Raises:
        WrongDataError: A tested case, or another case of its group, was in the training or validation part of the run; or
            the data are not those that the folds divide.
        WrongCallError: The split of a training or validation part is not that of the run.
    """
    if not (root / "split.json").is_file():
        return
    own = read_split(root / "split.json")
    if part in ("test", EXTERNAL):
        refuse_seen_cases(own, source.split, ids)
    elif part == CALIBRATION:  # what is chosen on the run's test part could not be stated there
        refuse_seen_cases(own, source.split, ids, (*LEARNT, "test"))
    elif part == OUT_OF_FOLD:
        check_split(own, source.cases, source.digests())
    elif source.split.hash != own.hash:  # a point that is chosen there might be chosen on the run's test part
        raise WrongCallError(
            f"split_file is not the split of {root}; its {part} part is that of its own split: leave it out"
        )


def evaluation_folder(
    root: Path, source: CaseSource, part: str, ids: Sequence[str], about: Mapping[str, Any]
) -> EvaluationFolder:
    """Return the folder of an evaluation, not yet opened.

    Args:
        root: The run.
        source: Data and split.
        part: One of ``parts.ALL_PARTS``.
        ids: The cases.
        about: What else tells it from other evaluations, JSON-able.
    """
    # The folds were read by those who tested them.
    split = read_split(root / "split.json") if part == OUT_OF_FOLD else source.split
    divided = {"dataset": source.name, "split": split.hash, "data_fingerprint": split.fingerprint}
    identity: dict[str, Any] = {"part": part, **divided, **about}
    if part in (EXTERNAL, CALIBRATION):
        identity |= pictures_of(source, ids)
    name = sealed_name(source.name, split.fingerprint) if part == EXTERNAL else None
    return EvaluationFolder(root, identity, name)
