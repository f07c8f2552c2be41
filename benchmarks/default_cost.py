"""Prints the CPU and wall-clock seconds of every stage of a finished run, and their sum.

    python benchmarks/default_cost.py [PROJECT [PROJECT]]

reads dvc.yaml, params.yaml and .scratch/timings.jsonl of each project (default: the current folder). Of two projects it
prints the ratio of the sums, too. A stage that DVC took from its cache writes no timing: run `dvc repro --force` in a
new clone. CPU seconds are those of all threads of the stage's process; DVC's own time is not counted.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from efficientad.errors import DataError, EfficientADError
from efficientad.pipeline.stage import TIMINGS


@dataclass(frozen=True)
class Cost:
    """Seconds of one stage: by the clock, and of all its threads together."""

    stage: str
    cpu_seconds: float
    seconds: float


def list_stages(pipeline: Mapping[str, Any], params: Mapping[str, Any]) -> list[str]:
    """Return the command of every stage of dvc.yaml for every item of its matrix, as timings.jsonl names it.

    >>> stages = {"distill": {"matrix": {"size": "${sizes}"}, "cmd": "python stages/distill.py ${item}"}}
    >>> list_stages({"stages": stages}, {"sizes": ["S", "L"]})
    ['distill.py S', 'distill.py L']
    """
    commands = []
    for stage in pipeline["stages"].values():
        matrix = stage.get("matrix", {})
        for values in product(*(params[reference.strip("${}")] for reference in matrix.values())):
            script = stage["cmd"].split()[1]
            commands.append(" ".join([Path(script).name, *map(str, values)]))
    return commands


def read_costs(project: Path) -> list[Cost]:
    """Return the costs of the last run of each stage, in the order of dvc.yaml.

    Raises DataError when a stage has no timing: a sum without it would be too small.
    """
    pipeline, params = (yaml.safe_load((project / name).read_text("utf-8")) for name in ("dvc.yaml", "params.yaml"))
    timings = project / TIMINGS
    rows = [json.loads(line) for line in timings.read_text("utf-8").splitlines()] if timings.is_file() else []
    last_runs = {row["stage"]: row for row in rows}
    stages = list_stages(pipeline, params)
    if missing := [stage for stage in stages if stage not in last_runs]:
        raise DataError(f"expected timings of all stages in {timings}, got none of {missing}; run `dvc repro --force`")
    return [Cost(stage, last_runs[stage]["cpu_seconds"], last_runs[stage]["seconds"]) for stage in stages]


def add_costs(costs: list[Cost]) -> Cost:
    """Return the sum."""
    return Cost("sum", sum(cost.cpu_seconds for cost in costs), sum(cost.seconds for cost in costs))


def format_costs(costs: list[Cost]) -> str:
    """Return a table: one line per stage, and the sum."""
    width = max(len(cost.stage) for cost in costs)
    lines = [f"{'stage':{width}}  CPU seconds  wall seconds"]
    lines += [f"{cost.stage:{width}}  {cost.cpu_seconds:11.1f}  {cost.seconds:12.1f}" for cost in costs]
    total = add_costs(costs)
    return "\n".join([*lines, f"{total.stage:{width}}  {total.cpu_seconds:11.1f}  {total.seconds:12.1f}"])


def main() -> None:
    """Print the costs of one project, or of two and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", nargs="*", type=Path, default=[Path()], metavar="PROJECT")
    projects = parser.parse_args().projects
    try:
        costs = [read_costs(project) for project in projects]
    except (EfficientADError, OSError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print("\n\n".join(format_costs(project_costs) for project_costs in costs))
    if len(costs) == 2:
        first, second = (add_costs(project_costs) for project_costs in costs)
        cpu, wall = first.cpu_seconds / second.cpu_seconds, first.seconds / second.seconds
        print(f"\n{projects[0]} / {projects[1]}: CPU {cpu:.3f}, wall {wall:.3f}")


if __name__ == "__main__":
    main()
