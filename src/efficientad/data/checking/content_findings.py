"""What is odd about the content of a folder's images: copies, several images of one part, exposures."""

from collections.abc import Sequence

from efficientad.data.arrays.samples import GOOD, Sample
from efficientad.data.checking.copies import Copies
from efficientad.data.checking.findings import Finding, list_finding
from efficientad.data.checking.measuring import Measured
from efficientad.data.checking.oddness import Odd, Shift


def find_in_content(
    measured: Sequence[Measured], copies: Copies, odd: Sequence[Odd], shifts: Sequence[Shift]
) -> list[Finding]:
    """Put into words what was found by content."""
    samples = {entry.sample.name: entry.sample for entry in measured}
    return [*_find_same(samples, copies), *_find_alike(samples, copies), *_find_exposures(odd, shifts)]


def _find_same(samples: dict[str, Sample], copies: Copies) -> list[Finding]:
    kinds = [{samples[name].defect for name in names} for names in copies.same]
    torn = [_join(names) for names, found in zip(copies.same, kinds, strict=True) if GOOD in found and len(found) > 1]
    rest = [_join(names) for names in copies.same if _join(names) not in torn]
    return [
        *list_finding(
            "problem",
            "good_and_defect",
            torn,
            "images both good and defective: {n}; remove the wrong copy",
        ),
        *list_finding("warning", "copy", rest, "images that stand there more than once: {n}; a copy is no new part"),
    ]


def _find_alike(samples: dict[str, Sample], copies: Copies) -> list[Finding]:
    """Only parts with a good image that may train can fall into two splits."""
    leaking = [names for names in copies.alike if any(_may_train(samples[name]) for name in names)]
    rest = [_join(names) for names in copies.alike if names not in leaking]
    images = sum(len(names) for names in leaking)
    return [
        *list_finding(
            "warning", "near_duplicate", map(_join, leaking),
            f"parts with several images, as it seems: {{n}}, {images} images in all; in training and in test they "
            "flatter the detector: look at them, and set data.group",
        ),
        *list_finding("note", "near_duplicate_in_test", rest, "parts with several images, all of them in test: {n}"),
    ]  # fmt: skip


def _find_exposures(odd: Sequence[Odd], shifts: Sequence[Shift]) -> list[Finding]:
    shifted = [
        f"{shift.kind}: {shift.word} ({shift.measure} {shift.median:.3g}, good images {shift.good_median:.3g}; tells "
        f"{shift.share:.0%} of pairs)"
        for shift in shifts
    ]
    names = dict.fromkeys(entry.name for entry in odd)
    return [
        *list_finding(
            "warning", "shifted_kind", shifted,
            "kinds that exposure or focus alone tells from good training images: {n}; photograph all alike, or a test "
            "measures the camera",
        ),
        *list_finding(
            "warning", "odd_exposure", map(str, odd),
            f"good images of odd exposure or focus: {len(names)}; remove what the station would not photograph",
        ),
    ]  # fmt: skip


def _may_train(sample: Sample) -> bool:
    return sample.defect == GOOD and sample.split != "test"


def _join(names: Sequence[str]) -> str:
    return " = ".join(names) if len(names) <= 4 else f"{' = '.join(names[:3])} and {len(names) - 3} more"
