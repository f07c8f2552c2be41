"""How the C library hands out the large buffers of a training step."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_LARGE = 1 << 30


def keep_freed_memory() -> None:
    """Let glibc keep freed buffers for the next step instead of returning them to the system.

    Left to itself it maps and unmaps each feature map of a step anew, and a tenth of the time goes into clearing
    pages. Without glibc nothing happens.
    """
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_MMAP_THRESHOLD, _LARGE)
        library.mallopt(_TRIM_THRESHOLD, _LARGE)
