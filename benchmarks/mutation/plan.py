"""Which files are mutated, which tests must find it, and why a mutant that lives may: benchmarks/mutants.toml."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

Tests = tuple[str, ...]  # what pytest is given, below the root


@dataclass(frozen=True)
class Target:
    """A file, and the tests that judge its mutants: those of one call of pytest, then those of the next."""

    file: str  # below the root
    tests: tuple[Tests, ...]


@dataclass(frozen=True)
class Named:
    """A mutant made by hand, once found alive."""

    name: str
    target: Target
    old: str  # stands once in the file
    new: str


@dataclass(frozen=True)
class Plan:
    """All of it; `reasons` are by file and name of the mutant."""

    most: int  # mutants of a file
    seed: int
    targets: tuple[Target, ...]
    named: tuple[Named, ...]
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)


def load_plan(path: Path, root: Path) -> Plan:
    """Read the list; a pattern among the files stands for those that there are."""
    tree = tomllib.loads(path.read_text("utf-8"))
    targets = [
        Target(file.relative_to(root).as_posix(), _read_tests(entry["tests"]))
        for entry in tree["target"]
        for pattern in entry["files"]
        for file in sorted(root.glob(pattern))
        if file.name != "__init__.py"
    ]
    named = [
        Named(entry["name"], Target(entry["file"], _read_tests(entry["tests"])), entry["old"], entry["new"])
        for entry in tree.get("named", [])
    ]
    reasons = {(entry["file"], entry["mutant"]): entry["reason"] for entry in tree.get("survivor", [])}
    return Plan(tree["most"], tree["seed"], tuple(targets), tuple(named), reasons)


def _read_tests(calls: list[list[str]]) -> tuple[Tests, ...]:
    return tuple(tuple(call) for call in calls)
