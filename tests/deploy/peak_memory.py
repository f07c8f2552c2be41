"""A program's largest memory, and an image of 20 MP to measure it with."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

# A parent of its own: a child is counted with the memory that its parent had when it was made.
_MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(code)
"""


def measure_peak(*command: object, cwd: Path) -> float:
    """Return the largest resident memory of a command that succeeds, in MiB."""
    arguments = [sys.executable, "-S", "-c", _MEASURE, *map(str, command)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def draw_large(path: Path) -> Path:
    """Write a JPEG of 20 MP whose map is not flat."""
    small = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.resize(small, (5000, 4000), interpolation=cv2.INTER_CUBIC))
    return path
