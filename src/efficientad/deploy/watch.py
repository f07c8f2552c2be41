"""Judging the images that arrive in folders, until a signal ends it."""

import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from types import FrameType

from efficientad.deploy.batch import list_files, list_results, print_record
from efficientad.deploy.engines.engine import Engine
from efficientad.deploy.judge import Output, judge_files
from efficientad.deploy.lock import lock_folders
from efficientad.deploy.records import Run, append_records, begin_results, tidy_results
from efficientad.deploy.sources import Stamp, print_left_out, read_stamp
from efficientad.errors import DataError
from efficientad.pipeline.printable import make_printable, write_line

_REST = 4  # times as long as the folders took to be listed: one core is busy with it for a fifth of the time at most


class Arrivals:
    """Tells which files are new or changed, and complete: those that have the same stamp twice in a row."""

    def __init__(self, judged: Mapping[str, Stamp]) -> None:
        self.judged = dict(judged)  # also of files that are gone: a network's folder may be empty for a while
        self.growing: dict[str, Stamp] = {}

    def take(self, stamps: Mapping[str, Stamp]) -> list[str]:
        """Return the names that are ready, the oldest first; each is returned once for every stamp that it settles on.

        stamps: of all files that are there, some seconds after the last call.
        """
        new = {name: stamp for name, stamp in stamps.items() if self.judged.get(name) != stamp}
        ready = {name: stamp for name, stamp in new.items() if self.growing.get(name) == stamp}
        self.growing = {name: stamp for name, stamp in new.items() if name not in ready}
        self.judged |= ready
        return sorted(ready, key=lambda name: (ready[name].modified, name))


def watch_folders(
    engine: Engine, sources: Sequence[Path], output: Output, run: Run, seconds: float, stop: Event,
    restart: bool = False,
) -> None:  # fmt: skip
    """Judge images in folders as they arrive or change, as `predict_files`, until `stop` is set.

    A file is judged when its size and time stayed the same for `seconds`. One that cannot be read gets its line and is
    read again when it changes. A folder that vanishes for a while is waited for. What is there at the start and has no
    verdict yet is judged first.

    Raises DataError when a source is no folder, when another run writes to a folder of the output, or as
    `begin_results`.
    """
    _check_folders(sources)
    files = list_files(sources, output)  # its error comes before results are touched
    print_left_out(sources, files.values(), list_results(output))
    with lock_folders(list_results(output)):
        _watch(engine, sources, output, Arrivals(begin_results(output.folder, run, restart)), seconds, stop)


def _watch(
    engine: Engine, sources: Sequence[Path], output: Output, arrivals: Arrivals, seconds: float, stop: Event
) -> None:
    names = make_printable(", ".join(map(str, sources)))
    print(f"watching {names}: {len(arrivals.judged)} images are judged", file=sys.stderr)
    judged = 0
    with append_records(output.folder) as append:
        for files in _poll(sources, output, arrivals, seconds, stop):
            with closing(judge_files(engine, files, output)) as records:
                for record in records:
                    append(record)
                    print_record(record)
                    judged += 1
                    if stop.is_set():
                        break
    tidy_results(output.folder)
    print(f"stopped: {judged} images judged; the same command goes on from here", file=sys.stderr)


@contextmanager
def stop_by_signals() -> Iterator[Event]:
    """Hand out an event that Ctrl-C and SIGTERM set; a second one of them acts as ever. For the main thread alone."""
    stop = Event()
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()
        restore()

    for number in previous:
        signal.signal(number, end)
    try:
        yield stop
    finally:
        restore()


def _poll(
    sources: Sequence[Path], output: Output, arrivals: Arrivals, seconds: float, stop: Event
) -> Iterator[dict[str, Path]]:
    """Yield files that are ready, as often as there are some, until `stop` is set."""
    missing = ""
    while not stop.is_set():
        began = time.monotonic()
        try:
            _check_folders(sources)
            files = list_files(sources, output)
            missing = ""
        except (DataError, OSError) as error:  # also a folder that goes while it is listed
            files = {}
            if str(error) != missing:
                missing = str(error)
                print(f"waiting   {write_line(missing)}", file=sys.stderr)
        stamps = {name: stamp for name, file in files.items() if (stamp := read_stamp(file))}
        rest = max(seconds, _REST * (time.monotonic() - began))
        if ready := arrivals.take(stamps):
            yield {name: files[name] for name in ready}
        stop.wait(rest)


def _check_folders(sources: Sequence[Path]) -> None:
    for source in sources:
        if not source.is_dir():
            raise DataError(f"expected a folder to watch at {source}, found none; check the path")
