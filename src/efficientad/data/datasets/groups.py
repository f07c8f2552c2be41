"""Which images show one physical part: they must fall into one split."""

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from efficientad.data.arrays.samples import GOOD, Sample
from efficientad.errors import DataError, ParamsError
from efficientad.pipeline.parsing import show

_EXAMPLES = 3  # names in an error


def find_groups(group: str | None, folder: Path, samples: Sequence[Sample]) -> dict[str, str]:
    """Return the part that each image shows, by the image's name.

    `group` is `data.group`: None (each image shows a part of its own), a regular expression that is searched in the
    name (its first group, or the whole match, names the part), or a CSV file `name,group` that is absolute or
    relative to `folder`. The CSV names an image by its full name or by its file name alone.
    A defective image that is not matched or not named shows a part of its own.

    Raises DataError for a good image without a part, and for a CSV file that is missing or ambiguous; ParamsError for
    an invalid regular expression.

    >>> find_groups(r"tile(\\d+)", Path(), [Sample("good/tile7_exp1.png", None, "good")])
    {'good/tile7_exp1.png': '7'}
    """
    if group is None:
        return {sample.name: sample.name for sample in samples}
    if group.lower().endswith(".csv"):
        part_of = _match_rows(_read_rows(folder / group), samples, folder / group)
    else:
        part_of = _match_names(group, samples)
    _check_good(part_of, samples, group)
    return {sample.name: part_of.get(sample.name, sample.name) for sample in samples}


def hold_out_groups(
    group_of: Mapping[str, str], fraction: float, seed: int, taken: Collection[str] = ()
) -> frozenset[str]:
    """Choose a seeded part of the names, whole groups only, as near to `fraction` of the names as groups allow.

    Groups come in a seeded order, and each is chosen if it brings the count of names nearer to the fraction.
    Groups in `taken` are chosen before them. At least one group is chosen when fraction > 0 and there are two or more.
    With each name in a group of its own the choice is that of `hold_out`.

    >>> sorted(hold_out_groups({"a1": "a", "a2": "a", "b1": "b", "b2": "b"}, 0.5, seed=1))
    ['a1', 'a2']
    """
    members: dict[str, list[str]] = {}
    for name in sorted(group_of):
        members.setdefault(group_of[name], []).append(name)
    chosen = [group for group in members if group in taken]
    open_groups = [group for group in members if group not in taken]
    order = [open_groups[index] for index in np.random.default_rng(seed).permutation(len(open_groups))]
    missing = round(fraction * len(group_of)) - sum(len(members[group]) for group in chosen)
    for group in order:
        if abs(missing - len(members[group])) < abs(missing):
            chosen.append(group)
            missing -= len(members[group])
    if not chosen and fraction > 0 and len(order) >= 2:
        chosen = [min(order, key=lambda group: len(members[group]))]
    return frozenset(name for group in chosen for name in members[group])


def _match_names(pattern: str, samples: Sequence[Sample]) -> dict[str, str]:
    try:
        expression = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ParamsError(
            f"data.group: expected a regular expression or a file that ends in .csv, got {show(pattern)} ({error})"
        ) from error
    matches = {sample.name: expression.search(sample.name) for sample in samples}
    parts = {name: match.group(min(1, expression.groups)) for name, match in matches.items() if match is not None}
    return {name: part for name, part in parts.items() if part is not None}


def _read_rows(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"expected data.group's CSV file in UTF-8 at {path}: {error}; check the path") from error
    groups: dict[str, str] = {}
    for row in rows:
        name, group = row.get("name"), row.get("group")
        if not name or not group:
            raise DataError(f"expected columns name and group, separated by commas, in {path}, got {row}; correct it")
        if groups.setdefault(name, group) != group:
            raise DataError(f"expected one group for {name} in {path}, got {groups[name]} and {group}; correct it")
    return groups


def _match_rows(rows: Mapping[str, str], samples: Sequence[Sample], path: Path) -> dict[str, str]:
    part_of: dict[str, str] = {}
    owner: dict[str, str] = {}
    for sample in samples:
        file_name = sample.name.rsplit("/", 1)[-1]
        key = sample.name if sample.name in rows else file_name
        if key not in rows:
            continue
        if owner.setdefault(key, sample.name) != sample.name:
            raise DataError(
                f"expected names that fit one image each in {path}, {key} fits {owner[key]} and {sample.name}; "
                "write names with their folders, such as the former"
            )
        part_of[sample.name] = rows[key]
    return part_of


def _check_good(part_of: Mapping[str, str], samples: Sequence[Sample], group: str) -> None:
    good = [sample.name for sample in samples if sample.defect == GOOD]
    without = [name for name in good if name not in part_of]
    if without:
        raise DataError(
            f"expected data.group ({group}) to name the part of every good image, {len(without)} of {len(good)} have "
            f"none, such as {', '.join(without[:_EXAMPLES])}; correct the expression, or add the names to the CSV file "
            "(an image that shows a part alone gets a group of its own)"
        )
