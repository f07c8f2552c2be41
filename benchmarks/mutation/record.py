"""What came of the mutants, as it is kept: docs/reliability/mutants.json."""

import hashlib
from collections.abc import Mapping
from typing import Any

from mutation.generate import Mutant

Record = dict[str, Any]
Reasons = Mapping[tuple[str, str], str]  # by file and `before -> after`


def describe_file(outcomes: list[tuple[Mutant, bool]], text: str) -> Record:
    """Return how many mutants of a file's text there were, those that live, and the text's checksum."""
    alive = [{"line": one.line, "before": one.before, "after": one.after} for one, killed in outcomes if not killed]
    return {"mutants": len(outcomes), "killed": len(outcomes) - len(alive), "alive": alive, "sha256": _hash(text)}


def summarise(by_file: Mapping[str, Record], named: Mapping[str, bool], most: int) -> Record:
    """Return the share of mutants that tests kill, in all and by file, and whether each named one is killed.

    most: how many mutants of a file there may be.
    """
    count, killed = (sum(one[key] for one in by_file.values()) for key in ("mutants", "killed"))
    share = round(killed / count, 4) if count else 0.0
    totals = {"mutation_killed": share, "mutants": count, "most of a file": most}
    return {**totals, "by file": dict(by_file), "named": dict(named)}


def is_known(record: Record, file: str, text: str, mutants: int) -> bool:
    """Whether a record is of the same mutants: as many of the same text."""
    before = record.get("by file", {}).get(file, {})
    return (before.get("sha256"), before.get("mutants")) == (_hash(text), mutants)


def is_alive(record: Record, mutant: Mutant) -> bool:
    """Whether a mutant is among those that lived when the record was made."""
    alive = record.get("by file", {}).get(mutant.file, {}).get("alive", [])
    return any((one["before"], one["after"]) == (mutant.before, mutant.after) for one in alive)


def list_unexplained(record: Record, reasons: Reasons) -> list[str]:
    """Return the mutants that live for no reason given, each with its file."""
    alive = [
        (file, f"{each['before']} -> {each['after']}")
        for file, one in record["by file"].items()
        for each in one["alive"]
    ]
    return [f"{file}: {name}" for file, name in alive if (file, name) not in reasons]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
