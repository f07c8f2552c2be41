"""The servers of a test: free ports of 127.0.0.1, and when they are ready."""

import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack


def find_ports(count: int) -> list[int]:
    """Return free ports of 127.0.0.1."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when the port answers."""
    wait_until(lambda: is_answering(port), process)


def wait_until(is_ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Return when a program is ready; one that has ended never will be."""
    deadline = time.monotonic() + 120
    while not is_ready():
        assert process.poll() is None, f"{process.args} has ended"
        assert time.monotonic() < deadline, f"{process.args} is not ready after two minutes"
        time.sleep(0.05)


def is_answering(port: int) -> bool:
    """Return whether something listens at a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
