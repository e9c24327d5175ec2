"""Cases with a mask and a diagnosis: the data of a classifier that looks at both."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError, WrongDataError, unknown_name
from monai_tumor.pipeline import CaseSource
from monai_tumor.splits.split import PARTS
from monai_tumor.training.process import rank
from tumor_mask_classifier.crop import check_crop, crop_to_lesion
from tumor_mask_classifier.predicted_masks import PredictedMasks

REFERENCE, OUT_OF_FOLD, NONE = "reference", "out_of_fold", "none"
MASK_SOURCES = (OUT_OF_FOLD, REFERENCE, NONE)
CLASSES = ("normal", "benign", "malignant")


class DiagnosisSource(CaseSource):
    """A ``CaseSource`` whose items have a class, and whose mask may be a predicted one, or none.

    The mask travels as the item's ``label`` map, so that everything that moves image and reference moves image and mask.

    Args:
        data: What ``CaseSource`` takes.
        classes: The labels in the order of the logits.
        mask_source: ``reference`` (the expert's mask), ``out_of_fold`` (predicted by a network that did not see the group)
            or ``none`` (an empty mask).
        masks: Folder of the predicted masks, see ``PredictedMasks``.
        crop: Context around the lesion's box as a share of its longer side, see ``crop_to_lesion``; None for whole images.
        more: What ``CaseSource`` takes, by name.

    Raises:
        WrongCallError: A value is unknown or impossible, or ``masks`` are given that would not be used.
    """

    def __init__(
        self,
        *data: Any,
        classes: Sequence[str] = CLASSES,
        mask_source: str = REFERENCE,
        masks: str | None = None,
        crop: float | None = None,
        **more: Any,
    ) -> None:
        super().__init__(*data, **more)
        if mask_source not in MASK_SOURCES:
            raise unknown_name("mask_source", mask_source, MASK_SOURCES)
        if masks is not None and mask_source != OUT_OF_FOLD:
            raise WrongCallError(
                f"masks are not used with mask_source {mask_source!r}; leave them out, or give {OUT_OF_FOLD!r}"
            )
        is_list = isinstance(classes, list | tuple) and all(isinstance(name, str) for name in classes)
        if not is_list or len(classes) < 2 or len(set(classes)) < len(classes):
            raise WrongCallError(f"classes are {classes!r}, expected two or more different labels")
        check_crop(crop)
        self.classes, self.mask_source, self.crop = tuple(classes), mask_source, crop
        self.masks = PredictedMasks(masks)

    def items(self, part: str) -> list[dict[str, Any]]:
        """Return the items of one part as ``CaseSource.items`` does, with ``target``, the index of the class.

        Cases without a reference belong to it too: what is learnt is the label.

        Raises:
            WrongCallError: Unknown part.
            WrongDataError: The part is empty, or a case has no label among the classes.
        """
        if part not in PARTS:
            raise unknown_name("part", part, PARTS)
        items = self.items_of(self.split.ids(part))
        if not items:
            raise WrongDataError(f"the {part} part of data set {self.name!r} has no case; check the split")
        return items

    def items_of(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the items of cases, sorted by id, with ``target``; phantoms of other classes are left out.

        Raises:
            WrongDataError: A case has no label among the classes; names the first.
        """
        items = super().items_of(ids)
        if self.synthetic:
            items = [item for item in items if self.case(item["case"]).label in self.classes]
        labels = {item["case"]: self.case(item["case"]).label for item in items}
        odd = [case for case, label in labels.items() if label not in self.classes]
        if odd:
            raise WrongDataError(
                f"{len(odd)} of {len(items)} cases of data set {self.name!r} have no label among the classes "
                f"{', '.join(self.classes)} ({odd[0]!r} first: {labels[odd[0]]!r}); give the classes that this data set has"
            )
        return [{**item, "target": self.classes.index(str(labels[item["case"]]))} for item in items]

    def load(self, case_id: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return image (R, C[, 3]) and mask (R, C) bool of one case, both cut to the lesion where ``crop`` says so.

        Raises:
            WrongDataError: A file cannot be read, or the case has no mask of this source.
        """
        image, reference = super().load(case_id)
        return crop_to_lesion(image, self._mask(case_id, image.shape[:2], reference), self.crop)

    def digest(self, case_id: str) -> str:
        """Return the digest of everything that image and mask come from: files, mask source, predicted mask and crop."""
        state = hashlib.blake2b(digest_size=16)
        for text in (super().digest(case_id), self.mask_source, repr(self.crop)):
            state.update(f"{text}\n".encode())
        if self.mask_source == OUT_OF_FOLD:
            state.update(self.masks.file(case_id).read_bytes())
        return state.hexdigest()

    def check_masks(self, *parts: str) -> None:
        """Refuse a part whose masks are not all there, before anything is trained or claimed.

        Masks of experts are a NOTE on stderr, because nobody has them for a new image.

        Raises:
            WrongCallError: The folder of predicted masks is missing, or is none.
            WrongDataError: A case has no mask of this source.
        """
        self.check_masks_of([case for part in parts for case in self.split.ids(part)])

    def check_masks_of(self, cases: Sequence[str]) -> None:
        """Refuse cases whose masks are not all there; as ``check_masks``."""
        if not cases:
            return
        if self.mask_source == OUT_OF_FOLD:
            self.masks.check(cases)
        if self.mask_source == REFERENCE:
            without = [case for case in cases if self.case(case).masks is None]
            if without:
                raise _no_reference(without[0], f"{len(without)} of {len(cases)} cases")
            if not self.synthetic and rank() == 0:
                print(
                    "NOTE: mask_source reference: no new image has such masks, so the figures are too good.",
                    file=sys.stderr,
                )

    def _mask(self, case: str, shape: tuple[int, ...], reference: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        if self.mask_source == OUT_OF_FOLD:
            return self.masks.read(case, shape)
        if self.mask_source == NONE:
            return np.zeros(shape, bool)
        if reference is None:
            raise _no_reference(case, "1 case")
        return reference


def _no_reference(case: str, count: str) -> WrongDataError:
    return WrongDataError(
        f"mask_source 'reference': {count} without a reference ({case!r} first); label them, or give mask_source "
        f"{OUT_OF_FOLD!r} or {NONE!r}"
    )
