"""Runs the tests and measures which lines of src/ they execute: docs/reliability/coverage.json.

    python benchmarks/coverage_figures.py [options of pytest]

Processes that the tests start are measured, too. The share is of all lines together; `lowest` names the files below it.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from efficientad.pipeline.stage import write_json

FIGURES = Path("docs/reliability/coverage.json")
DATA = Path(".scratch/coverage")
GOAL = 0.95


def main() -> None:
    """Run pytest under coverage, write the figures; exit with pytest's code, 1 below the goal where all tests ran."""
    arguments = sys.argv[1:]
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    os.environ["COVERAGE_FILE"] = str(DATA.absolute() / "data")  # for the processes of the tests, too
    failed = call("run", "-m", "pytest", *arguments)
    call("combine", "--quiet", "--keep", str(DATA))
    call("json", "--quiet", "-o", str(DATA / "report.json"))
    figures = summarise(json.loads((DATA / "report.json").read_text("utf-8")))
    print(json.dumps(figures, indent=2))
    if failed:
        sys.exit(failed)
    if arguments:  # a part of the tests is no figure of all
        return
    write_json(FIGURES, figures)
    if figures["line_coverage"] < GOAL:
        sys.exit(f"coverage: expected {GOAL:.0%} of the lines, got {figures['line_coverage']:.1%}")


def call(*arguments: str) -> int:
    """Run the program coverage; return its code."""
    return subprocess.run([sys.executable, "-m", "coverage", *arguments], check=False).returncode


def summarise(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the share of lines that ran, of all files and of those below the goal.

    >>> whole = {"covered_lines": 9, "num_statements": 10}
    >>> summarise({"totals": whole, "files": {"src/a.py": {"summary": whole}}})
    {'line_coverage': 0.9, 'lowest': {'src/a.py': 0.9}}
    """
    shares = {name: share(file["summary"]) for name, file in report["files"].items()}
    low = sorted((value, name) for name, value in shares.items() if value < GOAL)
    return {"line_coverage": share(report["totals"]), "lowest": {name: value for value, name in low}}


def share(summary: Mapping[str, int]) -> float:
    """Return the share of lines that ran; 1 of a file without lines."""
    lines = summary["num_statements"]
    return round(summary["covered_lines"] / lines, 4) if lines else 1.0


if __name__ == "__main__":
    main()
