"""Says which stages do not fit dvc.lock: something was changed and not run. It needs no data, only the commit."""

import json
import sys
from typing import Any

from efficientad.pipeline.dvc_command import ask_dvc, read_locked_stages
from efficientad.pipeline.stage import run_stage

# What a clone without data lacks. `dvc repro --dry --allow-missing` ends with 0 whatever it would run.
ABSENT = ("deleted", "not in cache")


def main() -> None:
    """Exit with code 1 when `dvc repro`, with all data at hand, would run anything."""
    status = json.loads(ask_dvc("status", "--json"))
    behind = {stage for stage, changes in status.items() if any(map(is_a_change, changes))}
    listed = ask_dvc("stage", "list", "--name-only").split()  # what params.yaml dropped is `make prune`'s
    behind |= find_contradictions({name: stage for name, stage in read_locked_stages().items() if name in listed})
    if behind:
        sys.exit(f"dvc.lock is behind: {', '.join(sorted(behind))}. Run `make repro` and commit dvc.lock and metrics/")
    print("dvc.lock is in step with params, code and metrics")


def is_a_change(change: str | dict[str, dict[str, Any]]) -> bool:
    """Return whether an entry of DVC's status says more than that a file is not here."""
    return isinstance(change, str) or any(state not in ABSENT for files in change.values() for state in files.values())


def find_contradictions(stages: dict[str, Any]) -> set[str]:
    """Return stages that ran on another output of an earlier one than dvc.lock says it wrote: after a bad merge."""
    written = {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", [])}
    return {
        name
        for name, stage in stages.items()
        for dep in stage.get("deps", [])
        if written.get(dep["path"], dep["md5"]) != dep["md5"]
    }


if __name__ == "__main__":
    run_stage(main)
