"""What was measured of this machine, kept in a folder outside of the project: no result of DVC's holds a timing.

An answer that cannot be read counts as none, and one that cannot be written is told on stderr: neither stops a run.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from efficientad.pipeline.writing import write_text

CACHE_VARIABLE = "EFFICIENTAD_CACHE"  # names the folder


def locate_cache() -> Path:
    """Return $EFFICIENTAD_CACHE, or `efficientad` in the user's folder for caches; without a home in .scratch."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    if caches := os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"):
        return Path(caches) / "efficientad"
    try:
        return Path.home() / ".cache" / "efficientad"
    except RuntimeError:
        return Path(".scratch/cache")


def recall(file: Path) -> dict[str, Any] | None:
    """Return what `remember` wrote; None without a file, and for one that is unreadable or damaged."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def remember(file: Path, values: Mapping[str, Any]) -> bool:
    """Write JSON values in one step, so that another process sees the whole file or none; return whether it worked."""
    try:
        write_text(file, json.dumps(values, indent=2) + "\n", shared=True)
    except OSError as error:
        print(
            f"expected a folder that can be written in {CACHE_VARIABLE} or the user's caches, got {file.parent} "
            f"({error.strerror}): what was measured will be measured again",
            file=sys.stderr,
        )
        return False
    return True
