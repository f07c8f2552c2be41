"""What is wrong with the files of a folder: broken, left out, of several sizes, depths or colours."""

from collections import Counter
from collections.abc import Sequence

from efficientad.data.arrays.samples import GOOD
from efficientad.data.checking.findings import Finding, list_finding
from efficientad.data.checking.layout import Contents
from efficientad.data.checking.measuring import ImageFacts, Measured

_SAME_ASPECT = 1.02  # ratio of aspect ratios that counts as one
_NO_IMAGE = "is no image"


def find_in_files(contents: Contents, measured: Sequence[Measured]) -> list[Finding]:
    """Return what is wrong with the files."""
    return [
        *_find_broken(measured),
        *_find_left_out(contents),
        *_find_coding(measured),
        *_find_aspects(measured),
    ]


def list_facts(measured: Sequence[Measured]) -> list[tuple[str, str, ImageFacts]]:
    """Return name, kind and facts of every image that can be read."""
    return [(entry.sample.name, entry.sample.defect, entry.facts) for entry in measured if entry.facts is not None]


def _find_broken(measured: Sequence[Measured]) -> list[Finding]:
    broken = [f"{entry.sample.name}: {entry.error}" for entry in measured if entry.error]
    return list_finding(
        "problem",
        "broken_image",
        broken,
        "unreadable images: {n}; prepare stops at them, so mend or remove them",
    )


def _find_left_out(contents: Contents) -> list[Finding]:
    images = [f"{entry.name}: {entry.reason}" for entry in contents.left_out if entry.reason != _NO_IMAGE]
    others = [entry.name for entry in contents.left_out if entry.reason == _NO_IMAGE]
    return [
        *list_finding("warning", "left_out", images, "left out, neither trained with nor tested: {n}"),
        *list_finding("note", "no_image", others, "other files, no images: {n}"),
    ]


def _find_coding(measured: Sequence[Measured]) -> list[Finding]:
    """Return the images that are stored otherwise than most good ones."""
    facts = list_facts(measured)
    counts = Counter(image.coding for _, _, image in facts)
    good = Counter(image.coding for _, kind, image in facts if kind == GOOD) or counts
    if len(counts) < 2:
        return []
    usual = good.most_common(1)[0][0]
    rare = [f"{name}: {image.coding}" for name, _, image in facts if image.coding != usual]
    message = f"images not stored as most good ones ({usual}): {{n}}; a kind that differs may be told by that alone"
    return list_finding("warning", "mixed_coding", rare, message)


def _find_aspects(measured: Sequence[Measured]) -> list[Finding]:
    """Return the images whose shape differs from that of the median image: all are pressed into one."""
    facts = list_facts(measured)
    ratios = sorted(image.width / image.height for _, _, image in facts)
    if not ratios or ratios[-1] / ratios[0] <= _SAME_ASPECT:
        return []
    middle = ratios[len(ratios) // 2]
    odd = [
        f"{name}: {image.width} x {image.height} px"
        for name, _, image in facts
        if not 1 / _SAME_ASPECT <= image.width / image.height / middle <= _SAME_ASPECT
    ]
    message = (
        f"images of another shape than the rest: {{n}}; width is {ratios[0]:.3g} to {ratios[-1]:.3g} times height, and "
        "all are pressed into one shape; cut them alike"
    )
    return list_finding("warning", "mixed_aspect", odd, message)
