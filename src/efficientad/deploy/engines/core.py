"""OpenVINO's entry: one for this package."""

from functools import cache

import openvino


@cache
def open_core() -> openvino.Core:
    """Return the same Core at each call; NNCF's own come and go while it is open.

    Each Core loads a plugin for the CPU, and each plugin sets a stack for signals of its own. Of two whose first goes
    first, OpenVINO 2026.4 puts back the first's, which is freed by then: the next signal kills the process silently.
    """
    return openvino.Core()
