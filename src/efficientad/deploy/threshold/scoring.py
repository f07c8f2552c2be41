"""A model's scores of a station's own images."""

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.files.limits import LIMITS, Limits
from efficientad.deploy.ahead import map_ahead
from efficientad.deploy.engines.engine import Engine
from efficientad.deploy.judge import Loaded, infer, load_pixels
from efficientad.deploy.predictor import read_outputs
from efficientad.errors import EfficientADError
from efficientad.pipeline.printable import make_printable, write_line


@dataclass(frozen=True)
class Scores:
    """Scores (n,) of the images that could be judged, and what tells copies of an image apart from others (n,)."""

    values: NDArray[np.float32]
    contents: NDArray[np.str_]
    skipped: int

    @property
    def images(self) -> int:
        """The number of different images."""
        return len(np.unique(self.contents))


def score_images(engine: Engine, files: Mapping[str, Path], report_skipped: bool, limits: Limits = LIMITS) -> Scores:
    """Judge images by name; those without a finite score are counted, and named on stderr where that is asked for."""

    def load(named: tuple[str, Path]) -> Loaded:
        return load_pixels(*named, engine.header.image_size, limits)

    values, contents, skipped = [], [], 0
    for image, outputs in infer(engine, map_ahead(load, files.items())):
        try:
            score = read_outputs(outputs, engine.header).score
            error = image.error
        except EfficientADError as problem:
            error = image.error or str(problem)
        if error:
            skipped += 1
            if report_skipped:
                print(f"skipped   {make_printable(image.name)}  {write_line(error)}", file=sys.stderr)
            continue
        values.append(score)
        contents.append(hashlib.sha256(image.pixels.tobytes()).hexdigest())
    return Scores(np.array(values, np.float32), np.array(contents, np.str_), skipped)
