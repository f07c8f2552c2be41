"""Stages and commands run inside of the test's process, and what a user sees of them."""

import importlib.util
import io
import re
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from import_closure import ROOT

from efficientad.cli import main as run_cli
from efficientad.pipeline.stage import run_stage

MOST_LINES = 8  # of an error: a line, and where files are listed six of them


class TracebackSeenError(AssertionError):
    """A user would have seen a traceback."""


class SilentAcceptanceError(AssertionError):
    """What is wrong was taken for right, or what is right gave something else."""


@dataclass(frozen=True)
class Outcome:
    """Exit code, what was printed, and the traceback if there was one."""

    code: int
    printed: str
    error: str
    traceback: str = ""

    def check_refused(self, *says: str) -> None:
        """One clear error that says each of `says`, regular expressions."""
        self.check_no_traceback()
        if self.code == 0:
            raise SilentAcceptanceError(
                f"expected a refusal that says {says}, got success:\n{self.printed}{self.error}"
            )
        assert self.code in (1, 2, 3), self
        assert self.code == 2 or re.search(r"^(\w+Error: |skipped )", self.error, re.MULTILINE), self.error
        for pattern in says:
            assert re.search(pattern, self.error, re.DOTALL), (pattern, self.error)
        if self.code != 2:  # the usage of a command
            lines = self.error.strip().splitlines()
            first = next(n for n, line in enumerate(lines) if re.match(r"\w+Error: |skipped ", line))
            assert len(lines) - first <= MOST_LINES, self.error

    def check_accepted(self) -> None:
        """Success."""
        self.check_no_traceback()
        assert self.code == 0, self.error

    def check_no_traceback(self) -> None:
        """No traceback, and nothing that moves a terminal's cursor."""
        assert all(line.isprintable() for line in f"{self.printed}{self.error}".split("\n")), (self.printed, self.error)
        if self.traceback or "Traceback (most recent" in self.error:
            raise TracebackSeenError(self.traceback or self.error)


def run_stage_script(name: str, *arguments: str) -> Outcome:
    """Run stages/<name>.py in the working folder."""

    def action() -> int:
        before, sys.argv = sys.argv, [f"stages/{name}.py", *arguments]
        try:
            run_stage(_load(name))
        finally:
            sys.argv = before
        return 0

    return observe(action)


def run_command(*arguments: object) -> Outcome:
    """Run `efficientad ARGUMENTS`."""
    return observe(lambda: run_cli([*map(str, arguments)]))


def observe(action) -> Outcome:
    """Do it, and return what a user would see."""
    printed, error = io.StringIO(), io.StringIO()
    trace, code = "", 0
    with redirect_stdout(printed), redirect_stderr(error):
        try:
            code = action()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
            if isinstance(stop.code, str):
                print(stop.code, file=error)
        except BaseException:
            code, trace = 1, traceback.format_exc()
    return Outcome(code, printed.getvalue(), error.getvalue(), trace)


@cache
def _load(name: str):
    path = ROOT / "stages" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"corpus_stage_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.check_for_dvc if name == "check_params" else module.main


def write_tree(root: Path, files: dict[str, bytes]) -> None:
    """Write files by their names below a folder."""
    for name, payload in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(payload)
