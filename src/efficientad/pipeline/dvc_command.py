"""What DVC, as a program, says of the pipeline, and what its lock file holds."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from efficientad.errors import DataError, ParamsError
from efficientad.pipeline.yaml_file import read_yaml

LOCK = Path("dvc.lock")
_TIMES = 100  # as large as params may be: 150 values a stage, eleven stages an item


def ask_dvc(*arguments: str) -> str:
    """Return what `dvc ARGUMENTS` prints. Raises DataError with what it complains of."""
    done = subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        told = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise DataError(f"expected an answer to `dvc {' '.join(arguments)}`, got {told}; mend that first")
    return done.stdout


def list_stages() -> list[str]:
    """Return the names of all stages that dvc.yaml and params.yaml make, in the order of dvc.yaml."""
    return ask_dvc("stage", "list", "--all", "--fail", "--name-only").split()


def read_locked_stages(path: Path = LOCK) -> dict[str, dict[str, Any]]:
    """Return what dvc.lock holds of each stage; DataError where there is none, or it is another file."""
    try:
        stages = read_yaml(path, _TIMES).get("stages")
    except ParamsError as error:
        raise DataError(f"expected what DVC ran in {path}: {error}; run the pipeline (`dvc repro`)") from error
    if not isinstance(stages, dict) or not all(isinstance(stage, dict) for stage in stages.values()):
        raise DataError(f"expected stages in {path}, found something else; `git checkout {path}`, run `dvc repro`")
    return stages
