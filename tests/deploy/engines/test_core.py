"""One Core for the process: a signal is answered after models went, in whatever order."""

import subprocess
import sys

import pytest

from efficientad.deploy.engines.core import open_core

PROGRAM = """
import signal, sys
from pathlib import Path
from efficientad.deploy.engines.openvino import OpenVINOEngine

signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(7))
first, second = (OpenVINOEngine(Path(sys.argv[1])) for _ in range(2))
for name in sys.argv[2:]:
    del globals()[name]
signal.raise_signal(signal.SIGTERM)
"""


def test_it_is_the_same_at_each_call():
    assert open_core() is open_core()


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first"), ("first",), ()])
def test_a_signal_is_answered_whichever_model_went_first(models, order):
    """With a Core for each, OpenVINO 2026.4 left a freed stack for signals where the first went first: SIGSEGV."""
    command = [sys.executable, "-c", PROGRAM, models / "openvino/fp32/1/model.xml", *order]
    assert subprocess.run(command, check=False).returncode == 7
