"""A stage that says when it works and goes on until it is stopped; WORK names what it does."""

import os
import sys
import threading
import time

import cv2

from efficientad.errors import DataError
from efficientad.pipeline.stage import run_stage


def main() -> None:
    print("works", flush=True)
    work = os.environ["WORK"]
    if work == "full":
        raise OSError(28, "No space left on device", "result")
    if work == "denied":
        raise PermissionError(13, "Permission denied", "result")
    if work == "memory":
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
    if work == "panic":
        raise type("PanicException", (BaseException,), {})("PyObject pointer is null")
    if work == "opencv":
        raise cv2.error("OpenCV(4.14.0) a.cpp:7: error: (-4:Insufficient memory) Failed to allocate 9 bytes\n")
    if work == "fork":
        raise OSError(12, "Cannot allocate memory")
    if work == "threads":
        raise RuntimeError("can't start new thread")
    if work == "data":
        raise DataError("expected images")
    if work == "wait a while":
        time.sleep(float(sys.argv[1]))
        return
    try:
        threading.Event().wait()
    except Exception:  # what handles errors must not go on after a signal
        print("went on", flush=True)


if __name__ == "__main__":
    run_stage(main)
