"""Running tests on mutants, in a copy of the tree: each in a process forked from one that has the libraries.

Importing torch and its like takes longer than most tests here; the forked process has them already, and imports this
project anew.
"""

import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mutation.plan import Target, Tests

_LIBRARIES = (
    "torch", "numpy", "scipy.ndimage", "sklearn.metrics", "cv2", "openvino", "onnx", "onnxruntime", "PIL.Image", "yaml",
    "safetensors.torch", "rich", "pytest",
)  # fmt: skip
_MEMORY = 16 * 2**30  # bytes of addresses: a mutant may ask for all there are
_TIMES, _SECONDS = 4, 20  # a mutant may take so many times as long as the code itself, and so much more
_OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-m", "not long and not slow", "--no-header")


def load_libraries() -> None:
    """Import what tests import of others, on one thread: a thread does not live on in a forked process."""
    if "efficientad" in sys.modules:
        raise RuntimeError("expected a process without this project's modules; the mutants would not be loaded")
    for name in _LIBRARIES:
        importlib.import_module(name)


@contextmanager
def copy_tree(root: Path) -> Iterator[Path]:
    """Yield a copy of the files that git knows and of those it does not ignore, as they are now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True)
    with TemporaryDirectory(prefix="mutants-") as folder:
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (root / name).is_file():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, Path(folder) / name)
        yield Path(folder)


def measure_seconds(tree: Path, target: Target) -> float:
    """Return how long the tests of a target take on the code as it is; RuntimeError where they fail."""
    started = time.monotonic()
    for tests in target.tests:
        if not _passes(tree, tests, timeout=600):
            log = (tree / "tests.log").read_text("utf-8", errors="replace")[-3000:]
            raise RuntimeError(f"expected {' '.join(tests)} to pass on the code as it is, they fail:\n{log}")
    return time.monotonic() - started


def is_killed(tree: Path, target: Target, text: str, seconds: float) -> bool:
    """Whether, with another text of the target's file, a test fails or takes far longer than `seconds`."""
    file = tree / target.file
    original = file.read_bytes()
    file.write_text(text, "utf-8")
    try:
        return not all(_passes(tree, tests, _TIMES * seconds + _SECONDS) for tests in target.tests)
    finally:
        file.write_bytes(original)


def _passes(tree: Path, tests: Tests, timeout: float) -> bool:
    process = os.fork()
    if process == 0:
        _run_tests(tree, tests)
    return _wait(process, timeout)


def _run_tests(tree: Path, tests: Tests) -> None:
    """Become the process that runs tests; its exit status is theirs."""
    status = 70
    try:
        os.setsid()  # so that what the tests start ends with them
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        log = os.open(tree / "tests.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.chdir(tree)
        sys.dont_write_bytecode = True  # of a file that changes twice a second a cached copy may be the former
        os.environ |= {"PYTHONPATH": f"{tree / 'src'}:{tree / 'benchmarks'}", "PYTHONDONTWRITEBYTECODE": "1"}
        for name in [name for name in sys.modules if name.split(".")[0] == "mutation"]:
            del sys.modules[name]
        sys.path[:] = [str(tree / "src"), *sys.path[1:]]
        pytest = importlib.import_module("pytest")
        status = int(pytest.main([*_OPTIONS, *tests]))
        loaded = sys.modules.get("efficientad")
        if loaded is not None and not str(loaded.__file__).startswith(str(tree)):
            status = 71
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _wait(process: int, timeout: float) -> bool:
    """Wait for a process to end; one that takes too long is ended, with all that it started, and has not passed."""
    ends, pause = time.monotonic() + timeout, 0.005
    while time.monotonic() < ends:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            if os.waitstatus_to_exitcode(status) == 71:
                raise RuntimeError("expected the tests to load this project from the copy of the tree, they did not")
            return status == 0
        time.sleep(pause)
        pause = min(0.1, 1.2 * pause)
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return False
