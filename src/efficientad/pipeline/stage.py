"""What every stage script shares: its arguments, its errors, its cost, and JSON files with stable bytes."""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from efficientad.errors import DataError, ParamsError
from efficientad.model.sizes import SIZES, Size
from efficientad.pipeline.layout import Item
from efficientad.pipeline.locks import alone_at
from efficientad.pipeline.parsing import check_name
from efficientad.pipeline.stops import told_in_a_line
from efficientad.pipeline.writing import write_text

TIMINGS = Path(".scratch/timings.jsonl")
_DIGITS = 6


def parse_item() -> Item:
    """Read size, category and seed from the command line."""
    return Item(**_parse("size", "category", "seed"))


def parse_category() -> str:
    """Read the category from the command line."""
    return str(_parse("category")["category"])


def parse_size() -> Size:
    """Read the size from the command line."""
    size: Size = _parse("size")["size"]
    return size


def _parse(*names: str) -> dict[str, Any]:
    """Read values as DVC gives them, `--size L --category gear --seed 0`, or by hand without their names, in order."""
    parser = argparse.ArgumentParser()
    by_name = any(word.startswith("--") for word in sys.argv[1:])
    for name in names:
        required: dict[str, Any] = {"required": True} if by_name else {}
        parser.add_argument(f"--{name}" if by_name else name, type=_READERS[name], **required)
    return vars(parser.parse_args())


def _read_size(text: str) -> str:
    if text not in SIZES:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(SIZES)}, got {text!r}")
    return text


def _read_category(text: str) -> str:
    try:
        return check_name(text, "name")
    except ParamsError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _read_seed(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to {2**31 - 1}, got {text!r}")
    return int(text)


_READERS: dict[str, Callable[[str], Any]] = {"size": _read_size, "category": _read_category, "seed": _read_seed}


def run_stage(main: Callable[[], None]) -> None:
    """Run a stage; what a user can put right is one line on stderr and an exit code, not a traceback.

    What a finished stage cost is appended to .scratch/timings.jsonl, outside of DVC: wall-clock numbers
    differ from run to run and must not decide what is rerun.
    """
    started, cpu_started = time.monotonic(), time.process_time()
    words = [Path(sys.argv[0]).name, *(word for word in sys.argv[1:] if not word.startswith("-"))]
    lock = re.sub(r"[^\w.]", "-", " ".join(words))[:150]
    with told_in_a_line(), alone_at(TIMINGS.with_name(f"{lock}.lock"), " ".join(words)):
        main()
    cost = {
        "stage": " ".join(words),
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
    write_text(path, json.dumps(_round(values), indent=2) + "\n")


def read_json(path: Path, *names: str) -> dict[str, Any]:
    """Read what `write_json` wrote; DataError where it is another file, or has no section of one of the names."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"expected what a stage measured at {path}: {error}; run the pipeline (`dvc repro`)") from error
    if not isinstance(values, dict) or not all(isinstance(values.get(name), dict) for name in names):
        wanted = " and ".join(names) or "a JSON object"
        raise DataError(f"expected {wanted} in {path}, found something else; run the pipeline again (`dvc repro`)")
    return values


def _round(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _round(inner) for key, inner in value.items()}
    return round(value, _DIGITS) if isinstance(value, float) else value
