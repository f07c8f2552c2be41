"""Which code made a model: what git says of it."""

import subprocess
from pathlib import Path

_CODE = ("src", "stages")
_LENGTH = 12  # of a revision's name


def find_revision(root: Path = Path()) -> str:
    """Return the commit that last touched the code in `root`, with `+changes` where it was changed since.

    Commits of anything else, such as of results, leave it as it is, so that the same code gives the same model to the
    byte. Empty where `root` is not in a git repository, or git is not installed.
    """
    try:
        revision = _ask_git(root, "log", "-1", "--format=%H", "--", *_CODE)[:_LENGTH]
        changed = _ask_git(root, "status", "--porcelain", "--", *_CODE)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return revision + ("+changes" if revision and changed else "")


def _ask_git(root: Path, *arguments: str) -> str:
    asked = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    return asked.stdout.strip()
