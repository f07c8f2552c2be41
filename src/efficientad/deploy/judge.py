"""From image files to records, in order: threads read, the engine's queue infers, threads draw and write."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from efficientad.data.files.budget import PixelBudget
from efficientad.data.files.limits import LIMITS, Limits
from efficientad.data.files.names import name_product
from efficientad.data.images.encoding import encode_tiff, spend_on_png
from efficientad.data.images.reading import hold_image
from efficientad.data.images.resizing import resize_image
from efficientad.deploy.ahead import map_ahead
from efficientad.deploy.engines.engine import Engine, Outputs, run_all
from efficientad.deploy.heat_map import fit_heat_map
from efficientad.deploy.predictor import Prediction, read_outputs
from efficientad.deploy.records import Record
from efficientad.deploy.regions import find_regions
from efficientad.deploy.sources import Stamp, read_stamp
from efficientad.errors import DataError, EfficientADError
from efficientad.pipeline.writing import write_bytes

_BUDGET = PixelBudget(48)  # of all threads: two images of 20 MP, and as many threads as there are for small ones


@dataclass(frozen=True)
class Output:
    """Where results go, and which are wanted beside the records."""

    folder: Path  # records and heat maps
    heat_maps: bool = False
    maps: Path | None = None  # folder of raw maps; None writes none
    limits: Limits = LIMITS  # of the images


class Loaded(NamedTuple):
    """A file's pixels at the model's size (H, W, 3), or the error for which there are none."""

    name: str
    file: Path
    pixels: NDArray[np.uint8]
    size: tuple[int, int] = (0, 0)  # height and width of the file's image
    stamp: Stamp | None = None  # from before it was read: who changes the file meanwhile changes the stamp
    error: str = ""


def judge_files(engine: Engine, files: Mapping[str, Path], output: Output) -> Generator[Record, None, None]:
    """Yield the record of each file, by its name, in order; heat maps and raw maps are written before.

    The memory in use grows neither with the number of files nor with that of threads: it holds a few images at the
    model's size, and of their own size no more than a budget of pixels.
    """

    def load(named: tuple[str, Path]) -> Loaded:
        return load_pixels(*named, engine.header.image_size, output.limits)

    def finish(pair: tuple[Loaded, Outputs]) -> Record:
        return _finish(engine, *pair, output)

    yield from map_ahead(finish, infer(engine, map_ahead(load, files.items())))


def load_pixels(name: str, file: Path, size: tuple[int, int], limits: Limits = LIMITS) -> Loaded:
    """Read an image and bring it to `size`; a file that cannot be read comes as black pixels and an error."""
    stamp = read_stamp(file)
    try:
        with hold_image(file, limits, _BUDGET) as image:
            return Loaded(name, file, resize_image(image, size), (image.shape[0], image.shape[1]), stamp)
    except EfficientADError as error:
        return Loaded(name, file, np.zeros((*size, 3), np.uint8), error=str(error))


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


def _finish(engine: Engine, image: Loaded, outputs: Outputs, output: Output) -> Record:
    """Return an image's record, and write its heat map and raw map where they are wanted."""
    if image.error:
        return {"image": image.name, "error": image.error}
    try:
        prediction = read_outputs(outputs, engine.header)
        record = _describe(image, prediction, engine.header.scale_score(prediction.score))
        if output.heat_maps:
            drawn = _draw(image, prediction, output.limits)
            record["heat_map"] = _write(output.folder, name_product(image.name, ".png"), drawn)
        if output.maps is not None:
            written = encode_tiff(prediction.anomaly_map)
            record["map"] = _write(output.maps, name_product(image.name, ".tiff"), written)
    except EfficientADError as error:
        return {"image": image.name, "error": str(error)}
    return record


def _draw(image: Loaded, prediction: Prediction, limits: Limits) -> bytes:
    """Return the PNG of an image's heat map; the file is read again, meanwhile its pixels would take memory."""
    with _BUDGET.take(image.size[0] * image.size[1]):
        heat_map = fit_heat_map(prediction.anomaly_map, prediction.threshold, image.size)
    with hold_image(image.file, limits, _BUDGET) as pixels:
        if pixels.shape[:2] != image.size:
            raise DataError(f"expected {image.file} as it was before, it changed meanwhile; judge it again")
        heat_map.lay_over(pixels)
        del heat_map
        return spend_on_png(pixels)


def _describe(image: Loaded, prediction: Prediction, display_score: float) -> Record:
    with _BUDGET.take(image.size[0] * image.size[1]):
        regions = find_regions(prediction.anomaly_map, prediction.threshold, image.size)
    record: Record = {
        "image": image.name,
        "score": prediction.score,
        "display_score": display_score,
        "threshold": prediction.threshold,
        "verdict": prediction.verdict,
        "regions": [asdict(region) for region in regions],
    }
    return record | (image.stamp._asdict() if image.stamp else {})


def _write(folder: Path, name: str, payload: bytes) -> str:
    """Write a file below `folder`, never a half of it under its name; return the name."""
    write_bytes(folder / name, payload, durable=False)  # it can be drawn again: waiting for the disk costs more
    return name
