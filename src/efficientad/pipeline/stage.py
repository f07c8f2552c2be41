"""What every stage script shares: its arguments, its errors, its cost, and JSON files with stable bytes."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from efficientad.errors import EfficientADError
from efficientad.model.sizes import SIZES, Size
from efficientad.pipeline.layout import Item

TIMINGS = Path(".scratch/timings.jsonl")
_DIGITS = 6


def parse_item() -> Item:
    """Read `SIZE CATEGORY SEED` from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("category")
    parser.add_argument("seed", type=int)
    return Item(**vars(parser.parse_args()))


def parse_category() -> str:
    """Read `CATEGORY` from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("category")
    return str(parser.parse_args().category)


def parse_size() -> Size:
    """Read `SIZE` from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("size", choices=SIZES)
    size: Size = parser.parse_args().size
    return size


def run_stage(main: Callable[[], None]) -> None:
    """Run a stage; what a user can put right is one line on stderr and exit code 1, not a traceback.

    What a finished stage cost is appended to .scratch/timings.jsonl, outside of DVC: wall-clock numbers
    differ from run to run and must not decide what is rerun.
    """
    started, cpu_started = time.monotonic(), time.process_time()
    try:
        main()
    except EfficientADError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    cost = {
        "stage": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "seconds": round(time.monotonic() - started, 2),
        "cpu_seconds": round(time.process_time() - cpu_started, 2),
        "peak_rss_mb": measure_peak_rss_mb(),
    }
    if os.environ.get("RANK", "0") != "0":  # of several processes started by torchrun the first one writes
        return
    TIMINGS.parent.mkdir(exist_ok=True)
    with TIMINGS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(cost) + "\n")


def measure_peak_rss_mb() -> float | None:
    """Return the process's largest resident set; None on Windows, which has no `resource`."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kB on Linux, bytes on macOS
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write values, floats to six decimals so that files of equal results have equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_round(values), indent=2) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote."""
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


def _round(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _round(inner) for key, inner in value.items()}
    return round(value, _DIGITS) if isinstance(value, float) else value
