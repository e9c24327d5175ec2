"""An external test is run once: what is tested on what is written down first, and there is no second try."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_tumor.errors import WrongCallError
from monai_tumor.evaluation.folder import evaluations, identity_of, is_finished
from monai_tumor.evaluation.parts import EXTERNAL, known_pictures
from monai_tumor.splits.split import SplitEntry
from monai_tumor.wording import count_of


def sealed_name(dataset: str, fingerprint: str) -> str:
    """Return the name of the folder of a sealed test."""
    return f"{EXTERNAL}-{dataset}-{fingerprint[:8]}"


def refuse_second_test(root: Path, identity: Mapping[str, Any], entries: Mapping[str, SplitEntry]) -> None:
    """Refuse to test a run again on pictures that it was tested on, however it is asked: only the same test may go on.

    Args:
        root: The run.
        identity: What is to be tested, with ``pixels`` and ``hashes`` of the pictures.
        entries: The cases that are to be tested.

    Raises:
        WrongCallError: Names the earlier test and its result.
    """
    for folder in evaluations(root, EXTERNAL):
        earlier = identity_of(folder)
        again = known_pictures(entries, earlier)
        if not again or (earlier == identity and not is_finished(folder)):
            continue
        pictures = count_of(len(again), "picture", "pictures")
        if is_finished(folder):
            raise WrongCallError(
                f"{root} was tested on {pictures} of this data set already, and an external test is run once; its result is "
                f"in {folder}"
            )
        changed = next((name for name in identity if identity[name] != earlier.get(name)), "nothing")
        raise WrongCallError(
            f"a test of {root} on {pictures} of this data set was begun in {folder} with other settings ({changed} was "
            f"{_short(earlier.get(changed))}, is {_short(identity[changed])}); go on with the settings it was begun with"
        )


def seal(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a sealed test tells of itself."""
    told = ("weights_sha256", "threshold", "smallest_area", "chosen_on", "tta", "data_fingerprint")
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {
        "date": date,
        **{name: identity[name] for name in told if name in identity},
        "pictures": len(identity["pixels"]),
    }


def _short(value: Any) -> str:
    return f"{len(value)} entries" if isinstance(value, list) else repr(value)
