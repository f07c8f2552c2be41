"""One thing that a check found, in words for people and in names for machines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["problem", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """A sentence that says what was found and what to do, and the names of what it is about.

    problem: the pipeline stops at it, or it makes the images contradict each other. warning: it runs on, and someone
    should look. note: good to know. `key` names the kind of finding and stays the same between versions.
    """

    severity: Severity
    key: str
    message: str
    names: tuple[str, ...] = ()


def list_finding(severity: Severity, key: str, names: Iterable[str], message: str) -> list[Finding]:
    """Return the finding where there are names, and nothing where there are none; `{n}` becomes their number.

    >>> list_finding("note", "hidden", ["a", "b"], "hidden files: {n}")[0].message
    'hidden files: 2'
    """
    kept = tuple(names)
    return [Finding(severity, key, message.replace("{n}", str(len(kept))), kept)] if kept else []


def sort_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Return the worst first; those of one severity keep their order."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
