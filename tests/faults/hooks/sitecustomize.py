"""Python runs this at its start where PYTHONPATH names the folder: it makes the fault that $FAULT describes, as JSON.

{"call": "fsync" | "replace", "nth": 3, "signal": 9}  signals the process itself just before its 3rd such call
{"megabytes": 50}          no more memory than so much beyond what it takes when it reads params.yaml
{"file_bytes": 1000}       no file grows beyond that, as on a full disk
{"clock_back_s": 86400}    the clock stands a day back
{"count": "FILE"}          no fault: notes at the end how often each call was made
"""

import atexit
import json
import os
import sys
import time

FAULT = json.loads(os.environ.get("FAULT", "{}"))
CALLS = {"fsync": 0, "replace": 0}


def watch(name: str) -> None:
    """Count the calls of a function of `os`, and send the signal before the one that $FAULT names."""
    real = getattr(os, name)

    def call(*arguments, **options):
        CALLS[name] += 1
        if FAULT.get("call") == name and CALLS[name] == FAULT["nth"]:
            os.kill(os.getpid(), FAULT["signal"])
        return real(*arguments, **options)

    setattr(os, name, call)


def limit_memory(event: str, arguments: tuple) -> None:
    """Set the limit when the stage begins its work: libraries are loaded by then."""
    if event == "open" and str(arguments[0]).endswith("params.yaml"):
        import resource

        with open("/proc/self/statm") as file:  # noqa: PTH123
            taken = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (taken + FAULT["megabytes"] * 10**6,) * 2)


def note_counts() -> None:
    with open(FAULT["count"], "w") as file:  # noqa: PTH123
        json.dump(CALLS, file)


if "call" in FAULT or "count" in FAULT:
    watch("fsync")
    watch("replace")
if "count" in FAULT:
    atexit.register(note_counts)
if "megabytes" in FAULT:
    sys.addaudithook(limit_memory)
if "file_bytes" in FAULT:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (FAULT["file_bytes"],) * 2)
if "clock_back_s" in FAULT:
    real_time, real_time_ns = time.time, time.time_ns
    time.time = lambda: real_time() - FAULT["clock_back_s"]
    time.time_ns = lambda: real_time_ns() - FAULT["clock_back_s"] * 10**9
