"""What came of the mutants, as it is kept: docs/reliability/mutants.json."""

from collections.abc import Mapping
from typing import Any

from mutation.generate import Mutant

Record = dict[str, Any]


def describe_file(outcomes: list[tuple[Mutant, bool]]) -> Record:
    """Return how many mutants of a file there were, and those that live."""
    alive = [{"line": one.line, "before": one.before, "after": one.after} for one, killed in outcomes if not killed]
    return {"mutants": len(outcomes), "killed": len(outcomes) - len(alive), "alive": alive}


def summarise(by_file: Mapping[str, Record], named: Mapping[str, bool], most: int) -> Record:
    """Return the share of mutants that tests kill, in all and by file, and whether each named one is killed.

    most: how many mutants of a file there may be.
    """
    count, killed = (sum(one[key] for one in by_file.values()) for key in ("mutants", "killed"))
    share = round(killed / count, 4) if count else 0.0
    totals = {"mutation_killed": share, "mutants": count, "most of a file": most}
    return {**totals, "by file": dict(by_file), "named": dict(named)}


def is_alive(record: Record, mutant: Mutant) -> bool:
    """Whether a mutant is among those that lived when the record was made."""
    alive = record.get("by file", {}).get(mutant.file, {}).get("alive", [])
    return any((one["before"], one["after"]) == (mutant.before, mutant.after) for one in alive)
