"""The tests of test_fuzz_readers.py led by coverage: atheris changes bytes until they reach code that none reached yet.

`make fuzz`, or python tests/fuzz/guided.py --seconds 300. Each test is a process of its own, one after the other; the
first finding ends it with its traceback. Needs the extra `fuzz`.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["efficientad"]):
    import test_fuzz_readers as readers

TESTS: dict[str, Callable] = {name: test for name, test in vars(readers).items() if name.startswith("test_")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="of each test")
    parser.add_argument("--only", choices=TESTS, help="one test, in this process")
    options = parser.parse_args()
    if options.only:
        libfuzzer = [sys.argv[0], f"-max_total_time={options.seconds}", "-seed=1", "-max_len=8192", "-timeout=20"]
        atheris.Setup(libfuzzer, TESTS[options.only].hypothesis.fuzz_one_input)
        atheris.Fuzz()
    lost = [name for name in TESTS if not survives(name, options.seconds)]
    sys.exit(f"{len(lost)} of {len(TESTS)} tests found something: {', '.join(lost)}" if lost else 0)


def survives(name: str, seconds: int) -> bool:
    print(f"{name}, {seconds} s", flush=True)
    return (
        subprocess.run([sys.executable, __file__, "--only", name, "--seconds", str(seconds)], check=False).returncode
        == 0
    )


if __name__ == "__main__":
    main()
