"""Judging files and folders once, from where an interruption left off."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from efficientad.deploy.engines.engine import Engine
from efficientad.deploy.judge import Output, judge_files
from efficientad.deploy.lock import lock_folders
from efficientad.deploy.records import Record, Run, append_records, begin_results, tidy_results
from efficientad.deploy.sources import find_real, list_sources, print_left_out, read_stamp
from efficientad.errors import DataError
from efficientad.pipeline.printable import make_printable, write_line


def predict_files(engine: Engine, sources: Sequence[Path], output: Output, run: Run, restart: bool = False) -> int:
    """Judge `sources`, images and folders, and return how many images were skipped.

    Writes one record per image, see `records`, and as `output` asks a PNG with its heat map, of the image's size, and a
    TIFF with its raw map, below the same relative name; prints one line per image. A run that was begun before is
    continued, and images that changed since are judged again: the files in the end are those of a run without
    interruption, byte for byte. What lies in the folders of the output is not judged.

    Raises DataError when there is no image at all, when another run writes to a folder of the output, or as
    `begin_results`.
    """
    files = list_files(sources, output)
    if not files:
        raise DataError(f"expected images in {', '.join(map(str, sources))}, found none; check the path")
    print_left_out(sources, files.values(), list_results(output))
    with lock_folders(list_results(output)):
        return _judge_left(engine, files, is_single(sources), output, run, restart)


def _judge_left(
    engine: Engine, files: Mapping[str, Path], single: bool, output: Output, run: Run, restart: bool
) -> int:
    judged = begin_results(output.folder, None if single else run, restart)
    left = {name: file for name, file in files.items() if name not in judged or judged[name] != read_stamp(file)}
    done = len(files) - len(left)
    if judged:
        print(f"continuing: {done} of {len(files)} images are judged; --restart judges all anew", file=sys.stderr)
    skipped = 0
    with (
        append_records(output.folder) as append,
        show_progress(len(files), done) as advance,
        closing(judge_files(engine, left, output)) as records,
    ):
        for record in records:
            append(record)
            print_record(record)
            advance()
            skipped += "error" in record
    if judged:  # what was appended stands behind what was there
        tidy_results(output.folder)
    return skipped


def is_single(sources: Sequence[Path]) -> bool:
    """Whether the sources are one file, whose results any later run may replace."""
    return len(sources) == 1 and sources[0].is_file()


def list_results(output: Output) -> list[Path]:
    """Return the folders that results are written to."""
    return [folder for folder in (output.folder, output.maps) if folder]


def list_files(sources: Sequence[Path], output: Output) -> dict[str, Path]:
    """Return the images to judge by name; DataError as `list_images`, and where pictures would lie among images."""
    drawn = [(output.folder, "heat maps", "--output")] if output.heat_maps else []
    drawn += [(output.maps, "raw maps", "--map-dir")] if output.maps else []
    folders = [find_real(source) for source in sources if source.is_dir()]
    for folder, what, option in drawn:
        if find_real(folder) in folders:
            raise DataError(
                f"expected {what} in a folder of their own, got the images' {folder}; name another {option}"
            )
    results = [folder for folder in list_results(output) if find_real(folder) not in folders]
    return list_sources(sources, results)


def print_record(record: Record) -> None:
    """Print an image's line: its verdict on stdout, what stopped it on stderr."""
    name = make_printable(record["image"])
    if "error" in record:
        print(f"skipped   {name}  {write_line(record['error'])}", file=sys.stderr)
    else:
        print(f"{record['verdict']:9} {record['score']:8.4f}  {name}", flush=True)


@contextmanager
def show_progress(total: int, done: int) -> Iterator[Callable[[], None]]:
    """Show a bar on stderr where that is a terminal; hand out what advances it by an image."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Lines for a file or a pipe must not be drawn into the terminal, those for the terminal not into the bar.
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as bar:
        task = bar.add_task("", total=total, completed=done)
        yield lambda: bar.advance(task)
