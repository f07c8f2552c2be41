"""Says which stages do not fit dvc.lock: something was changed and not run. It needs no data, only the commit."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

# What a clone without data lacks. `dvc repro --dry --allow-missing` ends with 0 whatever it would run.
ABSENT = ("deleted", "not in cache")


def main() -> None:
    """Exit with code 1 when `dvc repro`, with all data at hand, would run anything."""
    status = json.loads(ask_dvc("status", "--json"))
    behind = {stage for stage, changes in status.items() if any(map(is_a_change, changes))}
    listed = ask_dvc("stage", "list", "--name-only").split()  # what params.yaml dropped is `make prune`'s
    locked = yaml.safe_load(Path("dvc.lock").read_text("utf-8"))["stages"]
    behind |= find_contradictions({name: stage for name, stage in locked.items() if name in listed})
    if behind:
        sys.exit(f"dvc.lock is behind: {', '.join(sorted(behind))}. Run `make repro` and commit dvc.lock and metrics/")
    print("dvc.lock is in step with params, code and metrics")


def ask_dvc(*arguments: str) -> str:
    """Return what DVC prints, or exit with what it complains of."""
    done = subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def is_a_change(change: str | dict[str, dict[str, Any]]) -> bool:
    """Return whether an entry of DVC's status says more than that a file is not here."""
    return isinstance(change, str) or any(state not in ABSENT for files in change.values() for state in files.values())


def find_contradictions(stages: dict[str, Any]) -> set[str]:
    """Return stages that ran on another output of an earlier one than dvc.lock says it wrote: after a bad merge."""
    written = {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}
    return {
        name
        for name, stage in stages.items()
        for dep in stage["deps"]
        if written.get(dep["path"], dep["md5"]) != dep["md5"]
    }


if __name__ == "__main__":
    main()
