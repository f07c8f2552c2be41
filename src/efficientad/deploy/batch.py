"""Judging a file or a folder of files: heat maps, JSON lines, and a verdict a line on the terminal."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.data.images import list_images, read_image, resize_map, write_png
from efficientad.deploy.engine import Engine
from efficientad.deploy.predictor import Prediction, predict_image
from efficientad.errors import DataError
from efficientad.reporting.overlays import overlay_heat_map

JSON_LINES = "predictions.jsonl"


def predict_files(engine: Engine, source: Path, output: Path, heat_maps: bool) -> int:
    """Judge `source`, an image or a folder, and return how many images were skipped as unreadable.

    Writes below `output` one JSON line an image (image, score, threshold, verdict, heat_map; or image and
    error) and, with `heat_maps`, a PNG of the image's size beside the same relative name. Raises DataError
    when there is no image at all.
    """
    files = [source] if source.is_file() else list_images(source)
    if not files:
        raise DataError(f"expected images in {source}, found none")
    root = source.parent if source.is_file() else source
    output.mkdir(parents=True, exist_ok=True)
    skipped = 0
    with (output / JSON_LINES).open("w", encoding="utf-8") as lines:
        for record in _judge(engine, files, root, output if heat_maps else None):
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")
            if "error" in record:
                skipped += 1
                print(f"skipped   {record['image']}  {record['error']}", file=sys.stderr)
            else:
                print(f"{record['verdict']:9} {record['score']:8.4f}  {record['image']}", flush=True)
    return skipped


def _judge(engine: Engine, files: list[Path], root: Path, pictures: Path | None) -> Iterator[dict[str, Any]]:
    for file in files:
        name = file.relative_to(root).as_posix()
        try:
            image = read_image(file)
        except DataError as error:
            yield {"image": name, "error": str(error)}
            continue
        prediction = predict_image(engine, image)
        record = {
            "image": name,
            "score": prediction.score,
            "threshold": prediction.threshold,
            "verdict": prediction.verdict,
        }
        if pictures is not None:
            path = pictures / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_png(path, draw_heat_map(image, prediction))
            record["heat_map"] = path.relative_to(pictures).as_posix()
        yield record


def draw_heat_map(image: NDArray[np.uint8], prediction: Prediction) -> NDArray[np.uint8]:
    """Lay the anomaly map over an image (H, W, 3): blue at 0, red from twice the threshold on."""
    anomaly_map = resize_map(prediction.anomaly_map, image.shape[0], image.shape[1])
    low, high = 0.0, 2 * prediction.threshold
    if not low < high:  # a threshold at or below the level of normal pixels leaves no such range
        low, high = float(anomaly_map.min()), float(anomaly_map.max()) + 1e-6
    return overlay_heat_map(image, anomaly_map, low, high)
