"""The report on near-duplicates across splits: their names, and a file of groups that keeps them together."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from efficientad.data.arrays.prepared import Prepared, write_manifest
from efficientad.data.datasets.near_duplicates import Cluster, list_cross_pairs
from efficientad.pipeline.printable import make_printable
from efficientad.pipeline.writing import write_text

PAIRS, PARTS = "near_duplicates.json", "parts.csv"
_SHOWN = 3  # pairs in a message


@dataclass(frozen=True)
class NearDuplicates:
    """Two images in different splits that show one part. similarity: of the weakest link between images of the part."""

    first: str
    first_split: str
    second: str
    second_split: str
    similarity: float

    def __str__(self) -> str:
        return make_printable(f"{self.first} ({self.first_split}) and {self.second} ({self.second_split})")


def write_leaks(
    prepared: Prepared, groups: Mapping[str, str], parts: Sequence[Cluster] | None, folder: Path
) -> list[NearDuplicates]:
    """Write the near-duplicates across the splits of a prepared product into `folder`, and return them.

    `parts`: of `find_parts`; None: nobody looked for them. near_duplicates.json: {"checked", "pairs"}. parts.csv:
    `name,group` of all images in `groups` (see `find_groups`), with groups joined where their images show one part;
    it can be `data.group` as it is.
    """
    pairs = _name_pairs(prepared, parts or [])
    joined = join_groups(groups, [[prepared.rows[index].name for index in part.members] for part in parts or []])
    write_manifest(folder / PAIRS, {"checked": parts is not None, "pairs": [vars(pair) for pair in pairs]})
    write_text(folder / PARTS, format_groups(joined))
    return pairs


def describe_leaks(pairs: Sequence[NearDuplicates], folder: Path, raw: Path) -> str:
    """Return what a user should know and do; `folder`: of the report; `raw`: of the product's own files."""
    shown = "\n".join(f"  {pair}" for pair in pairs[:_SHOWN])
    more = f"\n  and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
    return (
        f"expected all images of a part in one split, {len(pairs)} pairs of images in different splits seem to show "
        f"one part, such as\n{shown}{more}\nA test on parts that were trained on flatters the detector. Look at the "
        f"pairs in {folder / PAIRS}. If they are right, copy {folder / PARTS} to {raw / PARTS} and set data.group: "
        f"{PARTS}, or let data.group name the part by a regular expression. If they are wrong, set "
        "data.near_duplicates: ignore"
    )


def join_groups(groups: Mapping[str, str], parts: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return the groups, by name, with those that meet in a part made one, named as the first of them.

    >>> join_groups({"a": "1", "b": "2", "c": "3", "d": "3"}, [["b", "c"]])
    {'a': '1', 'b': '2', 'c': '2', 'd': '2'}
    """
    joined = dict(groups)
    for names in parts:
        meeting = {joined[name] for name in names}
        kept = next(group for group in joined.values() if group in meeting)
        joined = {name: kept if group in meeting else group for name, group in joined.items()}
    return joined


def format_groups(groups: Mapping[str, str]) -> str:
    """Return the lines of a CSV file `name,group`; groups are numbered in their order."""
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups.values()))}
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["name", "group"])
    writer.writerows([name, numbers[group]] for name, group in groups.items())
    return lines.getvalue()


def _name_pairs(prepared: Prepared, parts: Sequence[Cluster]) -> list[NearDuplicates]:
    rows = prepared.rows
    similarity_of = {index: part.similarity for part in parts for index in part.members}
    return [
        NearDuplicates(rows[i].name, rows[i].split, rows[j].name, rows[j].split, round(similarity_of[i], 2))
        for i, j in list_cross_pairs(parts, [row.split for row in rows])
    ]
