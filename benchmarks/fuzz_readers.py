"""The tests of tests/fuzz led by coverage: atheris changes bytes until they reach code that none reached yet.

`make fuzz`, or python benchmarks/fuzz_readers.py --seconds 300. Each test is a process of its own, one after the
other; the first finding ends it with its traceback, its bytes lie in .scratch/fuzz. Needs the extra `fuzz`.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import atheris  # type: ignore[import-untyped]
import numpy as np

with atheris.instrument_imports(include=["efficientad"]):
    import test_fuzz_readers as readers  # type: ignore[import-not-found]

TESTS: dict[str, Any] = {name: test for name, test in vars(readers).items() if name.startswith("test_")}
FINDINGS = Path(".scratch/fuzz")


def main() -> None:
    """Fuzz each test, or one; exit with 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="of each test")
    parser.add_argument("--only", choices=TESTS, help="one test, in this process")
    options = parser.parse_args()
    FINDINGS.mkdir(parents=True, exist_ok=True)
    if options.only:
        fuzz(TESTS[options.only], options.seconds)
    lost = [name for name in TESTS if not survives(name, options.seconds)]
    sys.exit(f"{len(lost)} of {len(TESTS)} tests found something: {', '.join(lost)}" if lost else 0)


def fuzz(test: Any, seconds: int) -> None:
    """Begin with as many random bytes as large examples are drawn from: from none it would take long to get there."""
    rng, corpus = np.random.default_rng(0), Path(mkdtemp())
    for number in range(64):
        (corpus / str(number)).write_bytes(rng.bytes(2 ** (number % 8 + 6)))
    options = [f"-max_total_time={seconds}", "-seed=1", "-max_len=8192", "-timeout=20", f"-artifact_prefix={FINDINGS}/"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], test.hypothesis.fuzz_one_input)
    atheris.Fuzz()  # ends the process


def survives(name: str, seconds: int) -> bool:
    """Fuzz a test in a process of its own; return whether nothing was found."""
    print(f"{name}, {seconds} s", flush=True)
    command = [sys.executable, __file__, "--only", name, "--seconds", str(seconds)]
    with TemporaryDirectory() as folder:  # the process ends without a chance to remove what it made
        return subprocess.run(command, check=False, env=os.environ | {"TMPDIR": folder}).returncode == 0


if __name__ == "__main__":
    main()
