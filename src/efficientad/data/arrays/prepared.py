"""A product at the model's resolution, ready to be mapped into memory.

images.npy     (N, H, W, 3) uint8 RGB
masks.npy      (N, H, W) bool, all False where no mask is known
region.npy     (H, W) bool, the region of interest; only where there is one
annotations.npy  (R, H, W) bool, the defects one by one; only where the data set has them
manifest.json  {"size", "rows", "left_out", "raw"}; size is [H, W], rows in array order; with annotations.npy also
               "annotations": the image's name and the saturation area in px of each of them
raw/NNNN.png   a few images at native size, for the comparison of exported models
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.annotations import ANNOTATIONS, Annotations, pair_annotations
from efficientad.data.arrays.samples import GOOD, Split
from efficientad.errors import DataError
from efficientad.pipeline.writing import write_text

_SHOWN = 300  # characters of a row in an error
IMAGES, MASKS, REGION, MANIFEST, RAW = "images.npy", "masks.npy", "region.npy", "manifest.json", "raw"


@dataclass(frozen=True)
class PreparedRow:
    """One image of the arrays.

    label:  0 normal, 1 anomalous; `defect` is "good" or the class.
    mask:   whether a mask is known; if not, the row of `masks.npy` is all False and says nothing.
    sha256: of the decoded native RGB pixels, shape included (see `hash_pixels`).
    height, width: native size in px.
    part: what the image shows; images of one part are alike. Empty: no other image shows it.
    """

    name: str
    split: Split
    label: int
    defect: str
    mask: bool
    sha256: str
    height: int
    width: int
    part: str = ""


@dataclass(frozen=True)
class Prepared:
    """A prepared product; `images` and `masks` are read-only memory maps.

    size: height and width of the images in px. region: (H, W), what of them is judged; None: everything.
    raw: (path, name) of the images kept at native size. left_out: names dropped because a copy of them
    stands in the test or the validation split. annotations: the defects one by one; None where only masks are known.
    """

    rows: tuple[PreparedRow, ...]
    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    size: tuple[int, int]
    region: NDArray[np.bool_] | None
    raw: tuple[tuple[Path, str], ...]
    left_out: tuple[str, ...]
    annotations: Annotations | None = None

    def indices(self, split: Split) -> NDArray[np.intp]:
        """Return the rows of a split, ascending; empty when there are none."""
        return np.array([i for i, row in enumerate(self.rows) if row.split == split], np.intp)


def hash_normals(prepared: Prepared) -> str:
    """Return the sha256 that names the training and validation images, whatever their order or files' names."""
    rows = sorted(row.sha256 for row in prepared.rows if row.split in ("train", "validation"))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def load_prepared(folder: Path) -> Prepared:
    """Open a folder written by `write_prepared`; the arrays stay on disk until they are read.

    Raises DataError when a file is missing or damaged, or arrays and manifest do not fit together.
    """
    manifest = read_manifest(folder / MANIFEST)
    images, masks = load_array(folder / IMAGES), load_array(folder / MASKS)
    try:
        rows = check_rows([PreparedRow(**row) for row in manifest["rows"]])
        height, width = (int(side) for side in manifest["size"])
        raw = tuple((folder / entry["file"], str(entry["name"])) for entry in manifest["raw"])
        left_out = tuple(manifest["left_out"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"expected size, rows, raw and left_out in {folder / MANIFEST}, reading failed: {error!r}; "
            "run the prepare stage again"
        ) from error
    for array, shape, dtype in (
        (images, (len(rows), height, width, 3), np.uint8),
        (masks, (len(rows), height, width), np.bool_),
    ):
        if array.shape != shape or array.dtype != dtype:
            raise DataError(
                f"expected {np.dtype(dtype)} {shape} in {folder}, got {array.dtype} {array.shape}; "
                "run the prepare stage again"
            )
    for path, _ in raw:
        if not path.is_file():
            raise DataError(f"expected the image {path}, found none; run the prepare stage again")
    region = _load_region(folder / REGION, (height, width)) if (folder / REGION).is_file() else None
    annotations = _load_annotations(folder, manifest, rows, (height, width))
    return Prepared(rows, images, masks, (height, width), region, raw, left_out, annotations)


def check_rows(rows: Sequence[PreparedRow]) -> tuple[PreparedRow, ...]:
    """Return rows that the splits, the labels and the names of `PreparedRow` fit; ValueError names the first other."""
    names = set()
    for row in rows:
        texts = (row.name, row.defect, row.sha256, row.part)
        numbers = (row.height, row.width, row.label)
        if (
            row.split not in get_args(Split)
            or not all(isinstance(text, str) for text in texts)
            or not all(type(number) is int for number in numbers)
            or not isinstance(row.mask, bool)
            or row.label != int(row.defect != GOOD)
            or row.name in names
        ):
            raise ValueError(str(row)[:_SHOWN])
        names.add(row.name)
    return tuple(rows)


def _load_region(path: Path, size: tuple[int, int]) -> NDArray[np.bool_]:
    region = np.array(load_array(path))
    if region.shape != size or region.dtype != np.bool_ or not region.any():
        raise DataError(
            f"expected bool {size} with a True pixel in {path}, got {region.dtype} {region.shape}; run the prepare "
            "stage again"
        )
    return region


def _load_annotations(
    folder: Path, manifest: dict[str, Any], rows: tuple[PreparedRow, ...], size: tuple[int, int]
) -> Annotations | None:
    if "annotations" not in manifest:
        return None
    names = [row.name for row in rows]
    try:
        return pair_annotations(load_array(folder / ANNOTATIONS), manifest["annotations"], names, size)
    except (KeyError, TypeError) as error:
        raise DataError(
            f"expected name and saturation_px of each annotation in {folder / MANIFEST}, reading failed: {error!r}; "
            "run the prepare stage again"
        ) from error


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a JSON object; DataError when it is missing or not one."""
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"expected a manifest at {path}: {error}; run the stage that writes it again") from error
    if not isinstance(manifest, dict):
        raise DataError(f"expected a JSON object in {path}, got a {type(manifest).__name__}; write it again")
    return manifest


def write_manifest(path: Path, manifest: dict[str, Any]) -> None:
    """Write a JSON object, the same bytes for the same content; it appears whole or not at all."""
    write_text(path, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


def load_array(path: Path) -> NDArray[Any]:
    """Map a .npy file into memory, read-only; DataError when it is missing, cut short or not an array."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy reads its header as Python: a damaged one may fail in any way at all
        text = " ".join(str(error).split())[:_SHOWN]
        raise DataError(f"expected an array at {path}: {text}; run the stage that writes it again") from error
    return array
