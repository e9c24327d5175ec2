"""Random changes that the way of imaging makes: speckle, acoustic shadow and the bias field of an MRI coil.

Each is a field of factors, one for each pixel, which waits with everything else (see ``deferred``): wherever these stand
in the list, geometry is resampled once, the factors are multiplied together, and the image is multiplied once. Each class
draws; the function beside it is the plain twin that makes the field.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError
from monai_tumor.pipeline.augment import DeferredTransform
from monai_tumor.pipeline.deferred import Gain, Item, defer_gain

Range = tuple[float, float]
_BYTE_DEVIATION = np.sqrt((256**2 - 1) / 12)  # of a byte whose 256 values are equally likely


class RandomSpeckle(DeferredTransform):
    """Ultrasound speckle: grain that is coarser across the beams than along them, and stronger where it is brighter.

    Args:
        strength: Least and most; 1 is fully developed speckle, whose deviation is 52 % of the mean.
        grain_px: Finest and coarsest grain along the beams (down the rows), as standard deviation in pixels.
        prob: Probability that anything is done.
    """

    def __init__(self, strength: Range = (0.1, 0.5), grain_px: Range = (0.7, 1.5), prob: float = 0.5) -> None:
        _check_range("RandomSpeckle: strength", strength, 0.0, 1.0)
        _check_range("RandomSpeckle: grain_px", grain_px, 0.3, 8.0)
        _check_number("RandomSpeckle: prob", prob, 0.0, 1.0)
        self.strength, self.grain_px, self.prob = tuple(strength), tuple(grain_px), prob

    def __call__(self, item: Item) -> Item:
        """Draw one grain for ``item``."""
        if self.R.random_sample() < self.prob:
            rows, columns = item["image"].shape[1:]
            strength, grain = self.R.uniform(*self.strength), self.R.uniform(*self.grain_px)
            scatterers = np.frombuffer(self.R.bytes(rows * columns * 2), np.uint8).reshape(2, rows, columns)
            defer_gain(item, speckle_gain(scatterers, grain, strength))
        return item


class RandomShadow(DeferredTransform):
    """Acoustic shadow under something that lets no sound through, for a probe at the top of the image.

    Args:
        depth: Where it begins, from and to, as a share of the rows.
        width: Narrowest and widest where it begins, as a share of the columns.
        darkness: Least and most of the brightness that is lost in the middle of the shadow, far below its begin.
        reach: Depth after which 63 % of that is lost, shortest and longest, as a share of the rows.
        fan: Least and largest tangent of the outermost beams: 0 for a linear probe, about 0.6 for a curved one.
        prob: Probability that anything is done.
    """

    def __init__(
        self,
        depth: Range = (0.0, 0.6),
        width: Range = (0.05, 0.2),
        darkness: Range = (0.3, 0.8),
        reach: Range = (0.05, 0.3),
        fan: Range = (0.0, 0.3),
        prob: float = 0.3,
    ) -> None:
        _check_range("RandomShadow: depth", depth, 0.0, 1.0)
        _check_range("RandomShadow: width", width, 0.01, 1.0)
        _check_range("RandomShadow: darkness", darkness, 0.0, 1.0)
        _check_range("RandomShadow: reach", reach, 0.01, 10.0)
        _check_range("RandomShadow: fan", fan, 0.0, 5.0)
        _check_number("RandomShadow: prob", prob, 0.0, 1.0)
        self.depth, self.width, self.darkness = tuple(depth), tuple(width), tuple(darkness)
        self.reach, self.fan, self.prob = tuple(reach), tuple(fan), prob

    def __call__(self, item: Item) -> Item:
        """Draw one shadow for ``item``."""
        if self.R.random_sample() < self.prob:
            rows, columns = item["image"].shape[1:]
            begin = (self.R.uniform(*self.depth) * rows, self.R.uniform(0, columns))
            width, reach = self.R.uniform(*self.width) * columns, self.R.uniform(*self.reach) * rows
            darkness, fan = self.R.uniform(*self.darkness), self.R.uniform(*self.fan)
            defer_gain(item, shadow_gain((rows, columns), begin, width, darkness, reach, fan))
        return item


class RandomBiasField(DeferredTransform):
    """Slow changes of brightness over an MRI slice, as receiver coils make them.

    Args:
        coefficient: Largest coefficient of each polynomial to either side, in the logarithm of the field.
        degree: Highest degree of the polynomials, over both axes together.
        prob: Probability that anything is done.
    """

    def __init__(self, coefficient: float = 0.1, degree: int = 3, prob: float = 0.5) -> None:
        _check_number("RandomBiasField: coefficient", coefficient, 0.0, 1.0)
        _check_number("RandomBiasField: degree", degree, 1, 9, Integral)
        _check_number("RandomBiasField: prob", prob, 0.0, 1.0)
        self.coefficient, self.degree, self.prob = coefficient, degree, prob

    def __call__(self, item: Item) -> Item:
        """Draw one field for ``item``."""
        if self.R.random_sample() < self.prob:
            down, right = np.indices((self.degree + 1, self.degree + 1))
            coefficients = self.R.uniform(-self.coefficient, self.coefficient, down.shape)
            coefficients[(down + right > self.degree) | (down + right == 0)] = 0.0  # (0, 0) is plain brightness
            defer_gain(item, bias_gain(item["image"].shape[1:], coefficients))
        return item


def speckle_gain(scatterers: NDArray[np.uint8], grain_px: float, strength: float) -> Gain:
    """Return the factors of speckle: echoes of random scatterers, summed over the point spread function.

    The magnitude of such a sum has a Rayleigh distribution: J. W. Goodman, "Some fundamental properties of speckle",
    J. Opt. Soc. Am. 66 (1976); for ultrasound R. F. Wagner et al., IEEE Trans. Sonics Ultrason. 30 (1983).

    Args:
        scatterers: (2, rows, columns), real and imaginary part of each echo, all 256 values equally likely.
        grain_px: Standard deviation of the point spread function in pixels along the beams; across them twice that.
        strength: 0 changes nothing, 1 is fully developed speckle.

    Returns:
        (rows, columns) float32, mean 1, standard deviation 0.52 times ``strength``.
    """
    across, along = _spread(2 * grain_px), _spread(grain_px)
    magnitude = np.asarray(cv2.magnitude(*(_sum_echoes(part, across, along) for part in scatterers)))
    magnitude *= np.float32(strength / (_BYTE_DEVIATION * np.sqrt(np.pi / 2)))  # the mean of a Rayleigh distribution
    magnitude += np.float32(1 - strength)
    return magnitude


def shadow_gain(
    shape: tuple[int, int], begin: tuple[float, float], width: float, darkness: float, reach: float, fan: float = 0.0
) -> Gain:
    """Return the factors of a shadow that follows the beams down from ``begin``, soft at its edges.

    The idea is that of R. Singla et al., "Speckle and shadows" (MIDL 2022); the formula, with the beams of a probe, is ours.

    Args:
        shape: Rows and columns.
        begin: Row and column in pixels; nothing above that row is changed.
        width: In pixels, in the row where it begins; a fan widens it.
        darkness: Share of the brightness lost in the middle, far below ``begin``.
        reach: Depth in pixels after which 63 % of that is lost.
        fan: Tangent of the outermost beams in the first row; 0 is a strip, more is a wedge.

    Returns:
        (rows, columns) float32 within 0..1.
    """
    rows, columns = np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[1], dtype=np.float32)
    half = np.float32(shape[1] / 2)
    back = (half + fan * begin[0]) / (half + fan * rows)  # along its beam, back to the row where the shadow begins
    across = (columns - half) * (back * np.float32(2 / width)) + (half - begin[1]) * np.float32(2 / width)
    across *= across
    np.minimum(across, 9, out=across)  # far from the shadow; exp of far less is slow
    across *= -across  # the power of four: dark almost to the edges, which are soft
    lost = np.float32(-darkness) * (1 - np.exp(-np.maximum(rows - begin[0], 0) / np.float32(reach)))
    gain: Gain = cv2.exp(across)
    gain *= lost
    gain += 1
    return gain


def bias_gain(shape: tuple[int, int], coefficients: NDArray[np.float64]) -> Gain:
    """Return the factors of a bias field: exp of a sum of Legendre polynomials, as in MONAI's ``RandBiasField``.

    Args:
        shape: Rows and columns; each axis runs from -1 to 1.
        coefficients: (n, n); entry (i, j) is that of degree i down the rows times degree j along the columns.

    Returns:
        (rows, columns) float32, above 0.
    """
    degree = len(coefficients) - 1
    down, right = (np.polynomial.legendre.legvander(np.linspace(-1, 1, size), degree) for size in shape)
    gain: Gain = cv2.exp((down @ coefficients @ right.T).astype(np.float32))
    return gain


def _sum_echoes(echoes: NDArray[np.uint8], across: NDArray[np.float64], along: NDArray[np.float64]) -> Gain:
    """Return the sum over both kernels of bytes about their mean; mirrored edges would add like to like, so they wrap."""
    rows, columns = len(along) // 2, len(across) // 2
    wrapped = cv2.copyMakeBorder(echoes, rows, rows, columns, columns, cv2.BORDER_WRAP)
    centre = -127.5 * across.sum() * along.sum()
    waves: Gain = cv2.sepFilter2D(wrapped, cv2.CV_32F, across, along, delta=centre)
    return waves[rows:-rows, columns:-columns]


def _spread(deviation: float) -> NDArray[np.float64]:
    """Return a Gaussian kernel that keeps the deviation, rather than the sum, of independent values."""
    kernel = np.asarray(cv2.getGaussianKernel(2 * int(np.ceil(2 * deviation)) + 1, deviation))
    spread: NDArray[np.float64] = kernel / np.sqrt(np.sum(kernel**2))
    return spread


def _check_range(what: str, given: Any, least: float, most: float) -> None:
    if not isinstance(given, list | tuple) or len(given) != 2 or not all(_is(Real, value) for value in given):
        raise WrongCallError(
            f"{what} is {given!r}, expected two numbers within {least} to {most}, the smaller one first"
        )
    if not least <= given[0] <= given[1] <= most:
        raise WrongCallError(f"{what} is {given[0]} to {given[1]}, expected a range within {least} to {most}")


def _check_number(what: str, given: Any, least: float, most: float, kind: type = Real) -> None:
    if not _is(kind, given) or not least <= given <= most:
        name = "a whole number" if kind is Integral else "a number"
        raise WrongCallError(f"{what} is {given!r}, expected {name} within {least} to {most}")


def _is(kind: type, value: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
