"""A clone of a project that has run: its own checkout, and a cache of its own with the same files."""

import os
import shutil
import subprocess
from pathlib import Path

from small_project import Project

IDENTITY = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", "t"), ("EMAIL", "t@localhost"))}  # fmt: skip


class Clone(Project):
    """As `git clone` gives it; with `with_cache` also what the origin computed, ready in the workspace."""

    def __init__(self, origin: Project, root: Path, with_cache: bool = True) -> None:
        self.root = root
        subprocess.run(["git", "clone", "-q", str(origin.root), str(root)], check=True)
        if with_cache:
            # Files of the cache are never written again, so links are safe.
            shutil.copytree(origin.root / ".dvc/cache", root / ".dvc/cache", copy_function=os.link)
            self.dvc("checkout", "-q")

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | IDENTITY

    def commit(self, message: str) -> None:
        self.run("git", "add", ".")
        self.run("git", "commit", "-qm", message)

    def try_dvc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of DVC that may fail."""
        return self.attempt("dvc", *arguments)

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command that may fail."""
        return subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True)


def list_run(output: str) -> list[str]:
    """Return the stages that DVC ran, by its own words, in their order.

    >>> list_run("Stage 'a@x' didn't change, skipping\\nRunning stage 'b@x':\\n> python b.py")
    ['b@x']
    """
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]
