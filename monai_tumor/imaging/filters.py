"""Filters of ITK that belong to the preparation: done once, cached with the arrays, and the same in prediction.

A configuration names them: ``"n4"``, or with options ``{"name": "n4", "shrink": 2}``.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.util import find_spec
from threading import Lock
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError, unknown_name

Plane = NDArray[np.float32]
_LEAST_SIDE = 16  # pixels; fewer do not hold four control points of a cubic spline
_LOADING = Lock()


@dataclass(frozen=True, slots=True)
class BiasCorrection:
    """N4 correction of the bias field of an MRI slice (N. J. Tustison et al., IEEE Trans. Med. Imaging 29, 2010).

    The field is found in the foreground alone, and the mean grey level of the foreground stays as it was.

    Attributes:
        shrink: The field is smooth, so it is found in an image this many times smaller.
        levels: How often the mesh of control points is made twice as fine, beginning with one cell.
        iterations: The most steps on each level.
    """

    name: ClassVar[str] = "n4"
    shrink: int = 4
    levels: int = 4
    iterations: int = 50

    def __post_init__(self) -> None:
        _check_least(self, {"shrink": 1, "levels": 1, "iterations": 1})

    def __call__(self, plane: Plane) -> Plane:
        """Return ``plane`` (rows, columns), 0..255, without its field; one without foreground comes back as it is."""
        inside = _foreground(plane)
        size = [max(_LEAST_SIDE, side // self.shrink) for side in reversed(plane.shape)]
        small = np.maximum(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), 1)  # N4 takes the logarithm
        mask = (cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99).astype(np.uint8)
        if not mask.any() or np.ptp(small[mask > 0]) < 1:
            return plane
        filter_, as_image, as_array = _load("N4BiasFieldCorrection", "IF2IUC2IF2")
        filter_.SetInput(as_image(small))
        filter_.SetMaskImage(as_image(mask))
        filter_.SetNumberOfFittingLevels(self.levels)
        filter_.SetMaximumNumberOfIterations([self.iterations] * self.levels)
        filter_.Update()
        field = cv2.resize(small / as_array(filter_.GetOutput()), plane.shape[::-1], interpolation=cv2.INTER_LINEAR)
        corrected: Plane = plane / field
        corrected *= plane[inside].mean() / corrected[inside].mean()
        return corrected


@dataclass(frozen=True, slots=True)
class AnisotropicDiffusion:
    """Smoothing within regions but not across edges, against speckle (P. Perona and J. Malik, IEEE PAMI 12, 1990).

    It is made for noise that deviates as much in dark as in bright regions, as speckle does after log compression.

    Attributes:
        iterations: Steps of an eighth of a unit of time each, the longest that are stable in two dimensions.
        conductance: A larger one smooths stronger edges too, relative to the mean gradient of the image; 0.5 to 2 are usual.
    """

    name: ClassVar[str] = "anisotropic_diffusion"
    iterations: int = 10
    conductance: float = 1.5

    def __post_init__(self) -> None:
        _check_least(self, {"iterations": 1, "conductance": 0.01})

    def __call__(self, plane: Plane) -> Plane:
        """Return ``plane`` (rows, columns), smoothed."""
        filter_, as_image, as_array = _load("GradientAnisotropicDiffusion", "IF2IF2")
        filter_.SetInput(as_image(plane))
        filter_.SetTimeStep(0.125)
        filter_.SetNumberOfIterations(self.iterations)
        filter_.SetConductanceParameter(self.conductance)
        filter_.Update()
        smooth: Plane = as_array(filter_.GetOutput())
        return smooth


Filter = BiasCorrection | AnisotropicDiffusion
Entry = str | Mapping[str, Any] | Filter
FILTERS: dict[str, type[Filter]] = {kind.name: kind for kind in (BiasCorrection, AnisotropicDiffusion)}


def build_filters(entries: Entry | Sequence[Entry]) -> tuple[Filter, ...]:
    """Return the filters that a configuration names.

    Args:
        entries: Names, dictionaries of ``name`` and options, or filters; one of them may stand alone.

    Raises:
        WrongCallError: Unknown name, option or value; or itk is not installed.
    """
    listed = [entries] if isinstance(entries, str | Mapping | Filter) else entries
    if not isinstance(listed, list | tuple):
        raise WrongCallError(
            f"filters={entries!r} is impossible; give a list of filters, such as ['n4'], or an empty one"
        )
    return tuple(entry if isinstance(entry, Filter) else _build(entry) for entry in listed)


def apply_filters(image: NDArray[np.uint8], filters: Sequence[Filter]) -> NDArray[np.uint8]:
    """Apply ``filters`` in order to every channel by itself, in float32, and round once at the end.

    Args:
        image: (rows, columns) or (rows, columns, channels).
        filters: What ``build_filters`` returned.

    Returns:
        The same shape, clipped to 0..255.
    """
    if not filters:
        return image
    planes = list(np.moveaxis(image.reshape(*image.shape[:2], -1), 2, 0))
    if all(np.array_equal(plane, planes[0]) for plane in planes[1:]):  # grey, repeated
        done = [_filtered(planes[0], filters)] * len(planes)
    else:
        done = [_filtered(plane, filters) for plane in planes]
    return np.stack(done, axis=2).reshape(image.shape)


def _filtered(plane: NDArray[np.uint8], filters: Sequence[Filter]) -> NDArray[np.uint8]:
    values = plane.astype(np.float32, order="C")
    for filter_ in filters:
        values = filter_(values)
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _build(entry: str | Mapping[str, Any]) -> Filter:
    options = {"name": entry} if isinstance(entry, str) else dict(entry) if isinstance(entry, Mapping) else {}
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise WrongCallError(f"filter {entry!r} has no name; give one of {', '.join(sorted(FILTERS))}")
    if name not in FILTERS:
        raise unknown_name("filter", name, FILTERS)
    known = [field.name for field in fields(FILTERS[name])]
    for option in options:
        if option not in known:
            raise unknown_name(f"option of filter {name!r}:", str(option), known)
    if find_spec("itk") is None:
        raise WrongCallError(f"filter {name!r} needs the package itk, which is not installed; run: pip install itk")
    return FILTERS[name](**options)


def _check_least(filter_: Filter, least: Mapping[str, float]) -> None:
    """Refuse what is no finite number, or no whole one where the bound is whole, or below its bound."""
    for name, bound in least.items():
        value, whole = getattr(filter_, name), isinstance(bound, int)
        is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not is_number or not bound <= value < math.inf:
            kind = "as a whole number" if whole else "as a finite number"
            raise WrongCallError(
                f"filter {filter_.name!r}: {name}={value!r} is impossible; give at least {bound}, {kind}"
            )


def _foreground(plane: Plane) -> NDArray[np.bool_]:
    """Return (rows, columns), True for tissue.

    That is from a quarter of the way between the means of the two classes of Otsu: his own threshold leaves out tissue that
    the field darkens, and where nothing lies between the classes it is the brightest noise.
    """
    grey = np.clip(plane, 0, 255).astype(np.uint8)
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    bright = grey > threshold
    if not bright.any() or bright.all():
        return bright
    dark_mean, bright_mean = plane[~bright].mean(), plane[bright].mean()
    foreground: NDArray[np.bool_] = plane > dark_mean + (bright_mean - dark_mean) / 4
    return foreground


def _load(name: str, types: str) -> tuple[Any, Any, Any]:
    """Return a new ITK filter, and the functions from array to image and back.

    ``itk.NAME`` would also load every reader that ITK has, which takes four times as long.
    """
    with _LOADING:  # cases are prepared in threads
        import itk

        # Sums in another order are other sums: one thread gives the same pixels on every machine.
        common = importlib.import_module("itk.ITKCommonBasePython")
        common.itkMultiThreaderBase.SetGlobalDefaultNumberOfThreads(1)
        module = importlib.import_module(f"itk.itk{name}ImageFilterPython")
        new = getattr(module, f"itk{name}ImageFilter{types}").New
        return new(), itk.image_view_from_array, itk.array_from_image
