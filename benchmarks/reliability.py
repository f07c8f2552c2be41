"""Gathers what each part measured, docs/reliability/*.json, into docs/reliability.json and the table of the page.

`make reliability` runs the fault points first. A part that was not measured yet is null. It fails where fewer than 60
points were tried, where one did not recover, where one ended in a traceback or by a signal that nobody sent, and where
a figure of another part is not within its bound.
"""

import json
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from efficientad.pipeline.writing import write_text

DOCS = Path(__file__).parents[1] / "docs"
PARTS, RESULT, PAGE = DOCS / "reliability", DOCS / "reliability.json", DOCS / "reliability.md"
_TABLE = re.compile(r"(<!-- fault points -->\n).*?(<!-- end -->)", re.DOTALL)
LEAST = 60  # points
MOST = {"tracebacks": 0, "silent_acceptances": 0, "rss_growth": 0.02}
FEWEST = {"corpus_files": 300, "line_coverage": 0.95, "mutation_killed": 0.85}
_SHOWN = 90  # characters of what a stage said

# The file of each other part, and what is taken from it.
OTHERS = {
    "corpus": ("corpus_files", "tracebacks", "silent_acceptances"),
    "soak": ("soak",),
    "coverage": ("line_coverage",),
    "mutants": ("mutation_killed",),
}


def main() -> None:
    """Write both files."""
    points = read_part("faults").get("points", [])
    parts = {name: read_part(name) for name in OTHERS}
    figures = gather(points, parts)
    write_text(RESULT, json.dumps(figures, indent=2) + "\n")
    write_text(PAGE, replace_table(PAGE.read_text("utf-8"), points))
    if missed := find_missed(points) + find_beyond(figures):
        sys.exit("\n".join(missed))


def find_missed(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each thing that is not as docs/reliability.md promises."""
    few = [] if len(points) >= LEAST else [f"expected {LEAST} or more points, got {len(points)}; run them all"]
    lost = [f"{one['stage']}, {one['fault']}: {one['note']}" for one in points if not one["recovered"]]
    raw = [f"{one['stage']}, {one['fault']}: a traceback" for one in points if one["said"].startswith("Traceback")]
    dead = [f"{one['stage']}, {one['fault']}: it died of {one['exit']}" for one in points if died_by_itself(one)]
    return few + lost + raw + dead


def find_beyond(figures: Mapping[str, Any]) -> list[str]:
    """Return a line for each figure that is not within its bound, or was not measured.

    >>> good = {"corpus_files": 300, "tracebacks": 0, "silent_acceptances": 0, "line_coverage": 0.95}
    >>> find_beyond(good | {"mutation_killed": 0.84, "soak": {"rss_growth": None}})
    ['rss_growth: expected at most 0.02, got None', 'mutation_killed: expected at least 0.85, got 0.84']
    """
    values = {**figures, **(figures["soak"] or {"rss_growth": None})}
    most = [(name, bound) for name, bound in MOST.items() if values[name] is None or values[name] > bound]
    least = [(name, bound) for name, bound in FEWEST.items() if values[name] is None or values[name] < bound]
    return [f"{name}: expected at most {bound}, got {values[name]}" for name, bound in most] + [
        f"{name}: expected at least {bound}, got {values[name]}" for name, bound in least
    ]


def died_by_itself(point: Mapping[str, Any]) -> bool:
    """Whether a signal ended a stage that nobody sent, such as that of an invalid address.

    >>> [died_by_itself({"fault": "SIGINT after 3%", "exit": code}) for code in (130, -2, -11)]
    [False, False, True]
    """
    if point["exit"] >= 0 or "killed" in point["fault"]:
        return False
    return signal.Signals(-point["exit"]).name not in point["fault"]


def read_part(name: str) -> dict[str, Any]:
    """Return what a part measured; nothing where it has no file."""
    file = PARTS / f"{name}.json"
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}


def gather(points: Sequence[Mapping[str, Any]], parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures for machines.

    >>> gather([{"recovered": True}, {"recovered": False}], {"corpus": {"corpus_files": 300}})["corpus_files"]
    300
    """
    counts = {"kill_points": len(points), "recovered": sum(bool(point["recovered"]) for point in points)}
    return counts | {key: parts.get(name, {}).get(key) for name, keys in OTHERS.items() for key in keys}


def replace_table(page: str, points: Sequence[Mapping[str, Any]]) -> str:
    """Return the page with the table of these points."""
    return _TABLE.sub(lambda found: f"{found[1]}{render_table(points)}\n{found[2]}", page)


def render_table(points: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each point, in Markdown."""
    rows = ["| stage | fault | exit | it said | next `dvc repro` |", "|---|---|---:|---|---|"]
    for point in points:
        came = "the same hashes" if point["recovered"] else f"**{point['note']}**"
        rows.append(f"| {point['stage']} | {point['fault']} | {point['exit']} | {shorten(point['said'])} | {came} |")
    return "\n".join(rows)


def shorten(said: str) -> str:
    """Return the beginning of a line as code, without what a table or another machine's folders would disturb.

    >>> shorten("OSError: no space: '/tmp/x/project/data/a.npy'; free some|")
    "`OSError: no space: 'data/a.npy'; free some/`"
    """
    text = re.sub(r"/\S*?/project/", "", said).replace("|", "/").replace("`", "")
    text = re.sub(r"\bprocess \d+", "process N", text)
    return f"`{text[:_SHOWN].rstrip()}{'…' if len(text) > _SHOWN else ''}`" if text else ""


if __name__ == "__main__":
    main()
