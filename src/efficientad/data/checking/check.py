"""The check of a folder as a whole."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from efficientad.data.arrays.samples import GOOD
from efficientad.data.checking.advice import Advice, advise
from efficientad.data.checking.content_findings import find_in_content
from efficientad.data.checking.copies import Copies, count_good_parts, find_copies
from efficientad.data.checking.file_findings import find_in_files
from efficientad.data.checking.findings import Finding, sort_findings
from efficientad.data.checking.layout import Contents, list_contents
from efficientad.data.checking.mask_findings import find_in_masks
from efficientad.data.checking.measuring import ImageFacts, Measured, measure_all
from efficientad.data.checking.oddness import Odd, find_odd, find_shifts
from efficientad.data.files.limits import LIMITS, Limits

_QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Check:
    """What was found in a folder. parts: how many different good parts may train; findings: worst first."""

    contents: Contents
    measured: tuple[Measured, ...]
    copies: Copies
    odd: tuple[Odd, ...]
    parts: int
    advice: Advice
    findings: tuple[Finding, ...]

    @property
    def has_problem(self) -> bool:
        """Whether the pipeline would stop, or images contradict each other."""
        return any(finding.severity == "problem" for finding in self.findings)


def check_folder(root: Path, rates: Mapping[float, int], asked: float, limits: Limits = LIMITS) -> Check:
    """Look at all images and masks of a product's folder; about a minute for 1,000 images of a megapixel.

    `rates`: false-alarm rates, and how many held-out good parts each needs; `asked`: the one of them that is wanted.
    Files that are damaged become findings. Raises DataError where there is no image that is known to be good.
    """
    contents = list_contents(root)
    measured = measure_all(contents, limits)
    copies = find_copies(measured)
    odd, parts = find_odd(measured), count_good_parts(measured, copies)
    advice, few = advise(measured, parts, contents.layout, rates, asked)
    findings = [
        *find_in_files(contents, measured),
        *find_in_masks(contents, measured),
        *find_in_content(measured, copies, odd, find_shifts(measured)),
        *few,
        *_find_flat(contents),
    ]
    return Check(contents, tuple(measured), copies, tuple(odd), parts, advice, tuple(sort_findings(findings)))


def group_by_kind(measured: Sequence[Measured]) -> dict[str, list[Measured]]:
    """Return the images of each kind, named with its split where the folder has splits: "good", "test/crack"."""
    kinds: dict[str, list[Measured]] = {}
    has_splits = any(entry.sample.split and entry.sample.defect == GOOD for entry in measured)
    for entry in measured:
        split = entry.sample.split if has_splits else None
        name = f"{split}/{entry.sample.defect}" if split else entry.sample.defect
        kinds.setdefault(name, []).append(entry)
    return kinds


def describe_kind(entries: Sequence[Measured]) -> dict[str, Any]:
    """Return the counts of a kind, and the quartiles of its exposure."""
    facts = [entry.facts for entry in entries if entry.facts is not None]
    return {
        "images": len(entries),
        "broken": len(entries) - len(facts),
        "masks": sum(entry.mask is not None for entry in entries),
        "sizes": count_sizes(facts),
        "codings": dict(Counter(image.coding for image in facts).most_common()),
        **{name: _take_quartiles(facts, name) for name in ("brightness", "contrast", "sharpness")},
    }


def count_sizes(facts: Sequence[ImageFacts]) -> dict[str, int]:
    """Return how many images have which size, written "width x height", the most frequent first."""
    return dict(Counter(f"{image.width} x {image.height}" for image in facts).most_common())


def _take_quartiles(facts: Sequence[ImageFacts], name: str) -> list[float] | None:
    if not facts:
        return None
    values = [getattr(image.exposure, name) for image in facts]
    return [round(float(value), 3) for value in np.quantile(values, _QUARTILES)]


def _find_flat(contents: Contents) -> list[Finding]:
    if contents.layout != "flat":
        return []
    message = f"the images lie in the folder itself; move them to {contents.root / 'good'} before training"
    return [Finding("warning", "flat_folder", message)]
