"""What is wrong with the masks of a folder."""

from collections.abc import Sequence

from efficientad.data.arrays.samples import GOOD
from efficientad.data.checking.findings import Finding, Severity, list_finding
from efficientad.data.checking.layout import Contents, list_shared_stems
from efficientad.data.checking.measuring import MaskFacts, Measured

HALF = 0.5  # of an image, above which a mask is probably inverted
_OTHER_SIZE, _OF_GOOD, _EMPTY, _LARGE = "mask of another size", "mask of a good image", "empty mask", "mask of"


def find_in_masks(contents: Contents, measured: Sequence[Measured]) -> list[Finding]:
    """Return what is wrong with the masks; nothing where there are none."""
    if not contents.has_masks:
        return []
    return [
        *_find_unusable(contents, measured),
        *_find_missing(contents, measured),
        *_find_odd_masks(contents, measured),
    ]


def list_odd_masks(measured: Sequence[Measured]) -> list[tuple[str, str]]:
    """Return the images whose mask cannot be right, and what is odd about it."""
    words = [(entry.sample.name, _judge(entry, entry.mask)) for entry in measured if entry.mask is not None]
    return [(name, word) for name, word in words if word]


def _judge(entry: Measured, mask: MaskFacts) -> str:
    if entry.facts is not None and (mask.height, mask.width) != (entry.facts.height, entry.facts.width):
        return _OTHER_SIZE
    if not entry.sample.label:
        return _OF_GOOD if mask.pixels else ""
    if not mask.pixels:
        return _EMPTY
    return f"{_LARGE} {mask.share:.0%}" if mask.share > HALF else ""


def _find_unusable(contents: Contents, measured: Sequence[Measured]) -> list[Finding]:
    broken = [f"{entry.sample.name}: {entry.mask_error}" for entry in measured if entry.mask_error]
    sizes = [
        f"{entry.sample.name}: mask {mask.width} x {mask.height}, image {facts.width} x {facts.height} px"
        for entry in measured
        if (mask := entry.mask) and (facts := entry.facts) and (mask.height, mask.width) != (facts.height, facts.width)
    ]
    where = "; masks lie in masks/<kind>/<image's name>.png" if contents.layout in ("folder", "flat") else ""
    return [
        *list_finding("problem", "broken_mask", broken, "unreadable masks: {n}; save them as PNG"),
        *list_finding("problem", "mask_size", sizes, "masks of another size than their image: {n}; draw them again"),
        *list_finding("problem", "lone_mask", contents.lone_masks, f"masks that belong to no image: {{n}}{where}"),
        *list_finding(
            "problem", "shared_name", list_shared_stems(contents),
            "images with a mask that share their name with another image: {n}; rename one and its mask",
        ),
    ]  # fmt: skip


def _find_missing(contents: Contents, measured: Sequence[Measured]) -> list[Finding]:
    defects = [entry.sample.name for entry in measured if entry.sample.defect != GOOD]
    without = [name for name in defects if name not in contents.masks]
    if contents.layout in ("mvtec", "magnetic_tile"):
        return list_finding("problem", "no_mask", without, "defective images without a mask: {n}; restore the masks")
    message = f"defective images without a mask: {{n}} of {len(defects)}; they count for no metric of pixels"
    return list_finding("warning", "no_mask", without, message)


def _find_odd_masks(contents: Contents, measured: Sequence[Measured]) -> list[Finding]:
    odd = list_odd_masks(measured)
    severity: Severity = "warning" if contents.layout == "magnetic_tile" else "problem"  # some were published empty
    empty = [name for name, word in odd if word == _EMPTY]
    large = [f"{name}: {word}" for name, word in odd if word.endswith("%")]
    good = [name for name, word in odd if word == _OF_GOOD]
    return [
        *list_finding(severity, "empty_mask", empty, "defective images whose mask marks nothing: {n}"),
        *list_finding("warning", "large_mask", large, "masks of more than half of the image: {n}; are they inverted?"),
        *list_finding("problem", "mask_of_good", good, "good images whose mask marks a defect: {n}"),
    ]
