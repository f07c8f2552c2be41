"""Judging a file or a folder of files: threads read, the engine's queue infers, threads draw, all in order."""

import sys
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from efficientad.data.files.images import list_images, read_image, resize_image, write_png
from efficientad.data.files.walk import count, explain_left_out, list_tree, shorten
from efficientad.deploy.ahead import map_ahead
from efficientad.deploy.engines.engine import Engine, Outputs, run_all
from efficientad.deploy.heat_map import draw_heat_map
from efficientad.deploy.predictor import Prediction
from efficientad.deploy.records import Record, Run, append_records, begin_results, tidy_results
from efficientad.errors import DataError


class Loaded(NamedTuple):
    """A file's pixels at the model's size (H, W, 3), or the error for which there are none."""

    file: Path
    pixels: NDArray[np.uint8]
    error: str = ""


def predict_files(engine: Engine, source: Path, output: Path, run: Run, restart: bool = False) -> int:
    """Judge `source`, an image or a folder, and return how many images were skipped as unreadable.

    Writes below `output` one record per image, see `records`, and with `run.heat_maps` a PNG of the image's size beside
    the same relative name; prints one line per image. A folder that was begun before is continued: the files in the end
    are those of a run without interruption, byte for byte. Images below `output` are heat maps and not judged.

    Raises DataError when there is no image at all, or as `begin_results`.
    """
    root = source.parent if source.is_file() else source
    files = _list_files(source, output, run.heat_maps)
    if source.is_dir():
        _print_left_out(source, output, files)
    judged = begin_results(output, None if source.is_file() else run, restart)
    left = [file for file in files if _name(file, root) not in judged] if judged else files
    if judged:
        count = len(files) - len(left)
        print(f"continuing: {count} of {len(files)} images are judged; --restart judges all anew", file=sys.stderr)
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
    if judged:  # what was appended stands behind what was there
        tidy_results(output)
    return skipped


def judge_files(
    engine: Engine, files: Iterable[Path], root: Path, heat_maps: Path | None
) -> Generator[Record, None, None]:
    """Yield each file's record in order; `heat_maps` is the folder to write heat maps into, None draws none.

    The memory in use does not grow with the number of files: it holds a few images at the model's size.
    """

    def load(file: Path) -> Loaded:
        return load_pixels(file, engine.header.image_size)

    def finish(pair: tuple[Loaded, Outputs]) -> Record:
        return _finish(engine, *pair, root, heat_maps)

    pairs = infer(engine, map_ahead(load, files))
    yield from map(finish, pairs) if heat_maps is None else map_ahead(finish, pairs)


def load_pixels(file: Path, size: tuple[int, int]) -> Loaded:
    """Read an image and bring it to `size`; a file that cannot be read comes as black pixels and an error."""
    try:
        return Loaded(file, resize_image(read_image(file), size))
    except DataError as error:
        return Loaded(file, np.zeros((*size, 3), np.uint8), str(error))


def infer(engine: Engine, images: Iterable[Loaded]) -> Iterator[tuple[Loaded, Outputs]]:
    """Yield each image with its outputs, in order.

    The black pixels of an unreadable file go through the engine as well: one inference for nothing is cheaper than
    keeping order and look-ahead around the gaps.
    """
    waiting: deque[Loaded] = deque()

    def feed() -> Iterator[NDArray[np.uint8]]:
        for image in images:
            waiting.append(image)
            yield image.pixels[None]

    for outputs in run_all(engine, feed()):
        yield waiting.popleft(), outputs


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


def _finish(engine: Engine, image: Loaded, outputs: Outputs, root: Path, heat_maps: Path | None) -> Record:
    """Return an image's record, and write its heat map where one is wanted."""
    name = _name(image.file, root)
    if image.error:
        return {"image": name, "error": image.error}
    prediction = Prediction(float(outputs.scores[0]), engine.header.threshold, outputs.maps[0])
    record: Record = {
        "image": name,
        "score": prediction.score,
        "display_score": engine.header.scale_score(prediction.score),
        "threshold": prediction.threshold,
        "verdict": prediction.verdict,
    }
    if heat_maps is not None:
        try:
            pixels = read_image(image.file)  # again: meanwhile it would take a camera's full size in memory
        except DataError as error:
            return {"image": name, "error": str(error)}
        path = heat_maps / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, draw_heat_map(pixels, prediction.anomaly_map, prediction.threshold))
        record["heat_map"] = path.relative_to(heat_maps).as_posix()
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


def _print_left_out(source: Path, output: Path, files: Collection[Path]) -> None:
    """Say on stderr which files of the folder are not judged, results of a former run aside."""
    results, inner = output.resolve(), source.resolve()
    left_out = [
        one
        for one in explain_left_out(list_tree(source, followed=0), {_name(file, source) for file in files})
        if not (inner / one.file).is_relative_to(results)
    ]
    if left_out:
        print(f"WARNING {count(left_out)} not judged:\n{shorten(left_out)}", file=sys.stderr)


def _name(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()


def _print(record: Record) -> None:
    if "error" in record:
        print(f"skipped   {record['image']}  {record['error']}", file=sys.stderr)
    else:
        print(f"{record['verdict']:9} {record['score']:8.4f}  {record['image']}", flush=True)
