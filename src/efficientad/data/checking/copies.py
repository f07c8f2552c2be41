"""Images that stand in a folder more than once: as copies, or as several images of one part."""

from collections.abc import Sequence
from dataclasses import dataclass

from efficientad.data.arrays.samples import GOOD
from efficientad.data.checking.measuring import ImageFacts, Measured
from efficientad.data.datasets.leaks import format_groups, join_groups
from efficientad.data.datasets.near_duplicates import find_parts


@dataclass(frozen=True)
class Copies:
    """Names of images, in groups. same: of equal pixels. alike: of one part, as it seems; one of each copy."""

    same: tuple[tuple[str, ...], ...]
    alike: tuple[tuple[str, ...], ...]


def find_copies(measured: Sequence[Measured]) -> Copies:
    """Find images of equal pixels, whatever their files, and images that seem to show one part (see `find_parts`)."""
    readable = [(entry.sample.name, entry.facts) for entry in measured if entry.facts is not None]
    same: dict[str, list[str]] = {}
    first: dict[str, ImageFacts] = {}
    for name, facts in readable:
        same.setdefault(facts.digest, []).append(name)
        first.setdefault(facts.digest, facts)
    singles = list(first)
    parts = find_parts([first[digest].thumbnail for digest in singles])
    return Copies(
        tuple(tuple(names) for names in same.values() if len(names) > 1),
        tuple(tuple(same[singles[index]][0] for index in part.members) for part in parts),
    )


def group_parts(measured: Sequence[Measured], copies: Copies) -> dict[str, str]:
    """Return the part that each readable image shows, by name: images that are copies or alike show one."""
    names = [entry.sample.name for entry in measured if entry.facts is not None]
    return join_groups({name: name for name in names}, [*copies.same, *copies.alike])


def format_parts(measured: Sequence[Measured], copies: Copies) -> str:
    """Return a CSV file that can be `data.group` as it is."""
    return format_groups(group_parts(measured, copies))


def count_good_parts(measured: Sequence[Measured], copies: Copies) -> int:
    """Return how many different parts the readable good images outside of test show, as far as their content tells."""
    parts = group_parts(measured, copies)
    counted = [entry.sample for entry in measured if entry.sample.defect == GOOD and entry.sample.split != "test"]
    return len({parts[sample.name] for sample in counted if sample.name in parts})
