"""A folder of images of several sizes, one of them broken, and the files that judging it leaves."""

import json

import numpy as np

from efficientad.data.images.encoding import write_png
from efficientad.deploy.records import JSON_LINES

COUNT = 12
BROKEN = 3  # its place in the order of names


def draw_folder(folder):
    rng = np.random.default_rng(0)
    for index in range(COUNT):
        path = folder / f"line {index % 2}" / f"{index:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, rng.integers(0, 256, (64 + 7 * index, 90, 3), dtype=np.uint8))
    broken = sorted(folder.rglob("*.png"))[BROKEN]
    broken.write_bytes(broken.read_bytes()[:300])


def name_all(folder):
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*.png"))}


def read_files(output):
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in output.rglob("*") if path.is_file()}


def read_lines(output):
    return [json.loads(line) for line in (output / JSON_LINES).read_text("utf-8").splitlines()]
