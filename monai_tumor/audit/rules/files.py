"""Files that cannot be read, or not as they are meant."""

from __future__ import annotations

from collections.abc import Iterator

from monai_tumor.audit.evidence import Evidence
from monai_tumor.audit.findings import Example, Finding
from monai_tumor.cases import Case
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.read import read_image, read_mask

_UNREADABLE, _NAME, _SIZE, _LEVELS = "unreadable", "odd_name", "mask_size", "mask_levels"
_TEXTS = {
    _UNREADABLE: (
        "Files that cannot be read",
        "These cases are left out of everything, so every count and figure is of another set than you think.",
        "Copy these files again from their source, or remove them.",
    ),
    _NAME: (
        "Files whose names cannot be case ids",
        "Ids become names of files on any system. Until they are renamed, these cases are left out of every count and figure.",
        "Rename the files, or the ids in the table, with letters, digits, blank and ()._/- only.",
    ),
    _SIZE: (
        "Masks of another size than their image",
        "A mask that is stretched to fit marks another place than the expert did.",
        "Find the mask that belongs to the image.",
    ),
    _LEVELS: (
        "Masks with more than two levels",
        "What is lesion depends on where a script cuts; JPEG and resizing do this to masks.",
        "Export them again as PNG, or cut them on purpose: monai-tumor data convert --mask-threshold 127.",
    ),
}


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Yield what is wrong with files, one finding a kind."""
    broken = evidence.survey.unreadable
    kinds = {case.id: _kind(case) for case in evidence.cases if case.id in broken}
    for kind, (title, why, step) in _TEXTS.items():
        examples = tuple(Example((name,), broken[name]) for name, found in kinds.items() if found == kind)
        if examples:
            yield Finding(kind, "error", title, why, step, len(examples), examples)


def _kind(case: Case) -> str:
    """Say why a case cannot be loaded, from its name and its files one by one."""
    if case.problem:
        return _NAME
    try:
        shape = read_image(case.image).shape[:2]
        masks = {mask: read_mask(mask, 0).shape for mask in case.masks or ()}
    except WrongDataError:
        return _UNREADABLE
    if any(found != shape for found in masks.values()):
        return _SIZE
    try:
        for mask in masks:
            read_mask(mask)
    except WrongDataError:
        return _LEVELS
    return _UNREADABLE
