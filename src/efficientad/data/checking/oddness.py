"""Images and kinds whose exposure sets them apart from the good images, by robust rules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import GOOD
from efficientad.data.checking.measuring import Exposure, Measured

FENCE = 3.0  # Tukey's outer fence: interquartile ranges below the first and above the third quartile (1977)
FEWEST = 8  # images to take quartiles of
FEWEST_OF_KIND = 8
TELLING = 0.8  # share of pairs (one of a kind, one good) that a measure puts in one order
WORDS = {
    "brightness": ("dark", "bright"),
    "contrast": ("low contrast", "high contrast"),
    "sharpness": ("blurred", "sharp or noisy"),
}
_LEAST_STEP = {"brightness": 5.0, "contrast": 3.0, "sharpness": 0.02}  # what nobody would see is not odd
_LEAST_RATIO = 1.1
_SMALLEST = 1e-3  # of contrast and sharpness, whose logarithm is taken


@dataclass(frozen=True)
class Odd:
    """An image outside of the range of good images. `word`: what is odd about it; `value` beside `low` and `high`."""

    name: str
    word: str
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.name} ({self.word}: {self.value:.3g}, others {self.low:.3g} to {self.high:.3g})"


@dataclass(frozen=True)
class Shift:
    """A kind of images that a single measure tells from the good ones. share: of pairs that it puts in one order."""

    kind: str
    images: int
    measure: str
    word: str
    median: float
    good_median: float
    share: float


def find_odd(measured: Sequence[Measured]) -> list[Odd]:
    """Return good images outside of Tukey's outer fences in brightness, contrast or sharpness, the farthest first."""
    good = [entry for entry in measured if entry.facts is not None and entry.sample.defect == GOOD]
    if len(good) < FEWEST:
        return []
    odd = []
    for measure, words in WORDS.items():
        values = _collect(good, measure)
        low, high = find_fences(values, measure)
        far = np.maximum(low - values, values - high) / max(high - low, 1e-9)
        odd += [
            (
                -far[index],
                Odd(good[index].sample.name, words[int(values[index] > high)], float(values[index]), low, high),
            )
            for index in np.flatnonzero(far > 0)
        ]
    return [entry for _, entry in sorted(odd, key=lambda pair: (pair[0], pair[1].name))]


def find_fences(values: NDArray[np.float64], measure: str) -> tuple[float, float]:
    """Return between which values (n,) of a measure lie that are not odd: never closer than what an eye would see.

    Contrast and sharpness count by their logarithms, as no light or focus makes them negative.

    >>> find_fences(np.arange(0.0, 201), "brightness")
    (-250.0, 450.0)
    """
    if measure != "brightness":
        values = np.log(np.maximum(values, _SMALLEST))
    first, middle, third = np.quantile(values, [0.25, 0.5, 0.75])
    low, high = first - FENCE * (third - first), third + FENCE * (third - first)
    if measure != "brightness":
        low, middle, high = np.exp([low, middle, high])
    step = _LEAST_STEP[measure]
    return float(min(low, middle - step, middle / _LEAST_RATIO)), float(max(high, middle + step, middle * _LEAST_RATIO))


def find_shifts(measured: Sequence[Measured]) -> list[Shift]:
    """Return the kinds whose brightness or sharpness alone tells them from the good images of training.

    A test on such images may measure the camera's settings and not the defects. Contrast is left out: many defects
    change it. Good test images count as a kind, too.
    """
    kinds: dict[tuple[str, str], list[Measured]] = {}
    for entry in measured:
        if entry.facts is not None:
            where = "" if entry.sample.split == "train" else entry.sample.split or ""
            kinds.setdefault((where if entry.sample.defect == GOOD else "", entry.sample.defect), []).append(entry)
    good = kinds.pop(("", GOOD), [])
    if len(good) < FEWEST:
        return []
    return [
        shift
        for (split, defect), entries in kinds.items()
        if len(entries) >= FEWEST_OF_KIND
        for measure in ("brightness", "sharpness")
        if (shift := _measure_shift(f"{split}/{defect}".lstrip("/"), entries, good, measure)) is not None
    ]


def _measure_shift(kind: str, entries: Sequence[Measured], good: Sequence[Measured], measure: str) -> Shift | None:
    values, reference = _collect(entries, measure), np.sort(_collect(good, measure))
    below = np.searchsorted(reference, values, "left") + np.searchsorted(reference, values, "right")
    above_share = float(below.mean() / (2 * len(reference)))  # the area under the ROC curve of the measure
    share = max(above_share, 1 - above_share)
    median, good_median = float(np.median(values)), float(np.median(reference))
    if share < TELLING or abs(median - good_median) < _LEAST_STEP[measure]:
        return None
    return Shift(kind, len(entries), measure, WORDS[measure][int(above_share > 0.5)], median, good_median, share)


def _collect(entries: Sequence[Measured], measure: str) -> NDArray[np.float64]:
    exposures = [entry.facts.exposure for entry in entries if entry.facts is not None]
    return np.array([_read(exposure, measure) for exposure in exposures], np.float64)


def _read(exposure: Exposure, measure: str) -> float:
    return float(getattr(exposure, measure))
