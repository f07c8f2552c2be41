"""Judging a file or a folder of files: threads read, the engine's queue infers, threads draw, all in order."""

import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from efficientad.data.images import list_images, read_image, resize_image, write_png
from efficientad.deploy.engines.engine import Engine, Outputs, run_all
from efficientad.deploy.heat_map import draw_heat_map
from efficientad.deploy.predictor import Prediction
from efficientad.deploy.records import Record, Run, append_records, begin_results, tidy_results
from efficientad.errors import DataError

THREADS = min(8, os.cpu_count() or 1)  # that read, and as many that draw
AHEAD = THREADS + 2  # images that wait for whoever comes next

Item = TypeVar("Item")
Result = TypeVar("Result")


class Loaded(NamedTuple):
    """A file's pixels at the model's size (H, W, 3), or why there are none."""

    file: Path
    pixels: NDArray[np.uint8]
    error: str = ""


def predict_files(engine: Engine, source: Path, output: Path, run: Run, restart: bool = False) -> int:
    """Judge `source`, an image or a folder, and return how many images were skipped as unreadable.

    Writes below `output` a record an image, see `records`, and with `run.heat_maps` a PNG of the image's size beside
    the same relative name; prints a line an image. A folder that was begun before is gone on with: the files in the
    end are those of a run without interruption, byte for byte. Pictures below `output` are heat maps and not judged.

    Raises DataError when there is no image at all, or as `begin_results`.
    """
    root = source.parent if source.is_file() else source
    files = _list_files(source, output, run.heat_maps)
    done = begin_results(output, None if source.is_file() else run, restart)
    left = [file for file in files if _name(file, root) not in done] if done else files
    if done:
        judged = len(files) - len(left)
        print(f"continuing: {judged} of {len(files)} images are judged; --restart judges all anew", file=sys.stderr)
    skipped = 0
    with (
        append_records(output) as append,
        show_progress(len(files), len(files) - len(left)) as advance,
        closing(judge_files(engine, left, root, output if run.heat_maps else None)) as records,
    ):
        for record in records:
            append(record)
            _print(record)
            advance()
            skipped += "error" in record
    if done:  # what was appended stands behind what was there
        tidy_results(output)
    return skipped


def judge_files(
    engine: Engine, files: Iterable[Path], root: Path, pictures: Path | None
) -> Generator[Record, None, None]:
    """Yield each file's record in order; `pictures` is the folder for heat maps, None draws none.

    What is held in memory does not grow with the number of files: a few images at the model's size.
    """

    def load(file: Path) -> Loaded:
        return load_pixels(file, engine.header.image_size)

    def finish(judged: tuple[Loaded, Outputs]) -> Record:
        return _finish(engine, *judged, root, pictures)

    judged = infer(engine, map_ahead(load, files))
    yield from map(finish, judged) if pictures is None else map_ahead(finish, judged)


def load_pixels(file: Path, size: tuple[int, int]) -> Loaded:
    """Read an image and bring it to `size`; a file that cannot be read comes as black pixels and an error."""
    try:
        return Loaded(file, resize_image(read_image(file), size))
    except DataError as error:
        return Loaded(file, np.zeros((*size, 3), np.uint8), str(error))


def infer(engine: Engine, loaded: Iterable[Loaded]) -> Iterator[tuple[Loaded, Outputs]]:
    """Yield each image with its outputs, in order.

    The black pixels of an unreadable file go through the engine as well: one inference for nothing is cheaper than
    keeping order and look-ahead around the gaps.
    """
    waiting: deque[Loaded] = deque()

    def feed() -> Iterator[NDArray[np.uint8]]:
        for one in loaded:
            waiting.append(one)
            yield one.pixels[None]

    for outputs in run_all(engine, feed()):
        yield waiting.popleft(), outputs


def map_ahead(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int = THREADS, ahead: int = AHEAD
) -> Iterator[Result]:
    """Yield `work(item)` of each item, in order; threads work on up to `ahead` items beyond the one that is asked for.

    No more items are taken than that. An exception comes out at its item's place.
    """
    pool = ThreadPoolExecutor(threads)
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


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


def _finish(engine: Engine, loaded: Loaded, outputs: Outputs, root: Path, pictures: Path | None) -> Record:
    name = _name(loaded.file, root)
    if loaded.error:
        return {"image": name, "error": loaded.error}
    prediction = Prediction(float(outputs.scores[0]), engine.header.threshold, outputs.maps[0])
    record: Record = {
        "image": name,
        "score": prediction.score,
        "display_score": engine.header.scale_score(prediction.score),
        "threshold": prediction.threshold,
        "verdict": prediction.verdict,
    }
    if pictures is not None:
        try:
            image = read_image(loaded.file)  # again: keeping it meanwhile would take a camera's full size an image
        except DataError as error:
            return {"image": name, "error": str(error)}
        path = pictures / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, draw_heat_map(image, prediction))
        record["heat_map"] = path.relative_to(pictures).as_posix()
    return record


def _list_files(source: Path, output: Path, heat_maps: bool) -> list[Path]:
    if source.is_file():
        return [source]
    files, inner = list_images(source), output.resolve()
    if inner == source.resolve():
        if heat_maps:
            raise DataError(f"expected heat maps in a folder of their own, got the images' {source}; name an --output")
    elif inner.is_relative_to(source.resolve()):
        nested = source / inner.relative_to(source.resolve())
        files = [file for file in files if not file.is_relative_to(nested)]
    if not files:
        raise DataError(f"expected images in {source}, found none; check the path")
    return files


def _name(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()


def _print(record: Record) -> None:
    if "error" in record:
        print(f"skipped   {record['image']}  {record['error']}", file=sys.stderr)
    else:
        print(f"{record['verdict']:9} {record['score']:8.4f}  {record['image']}", flush=True)
