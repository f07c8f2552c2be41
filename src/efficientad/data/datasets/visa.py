"""VisA: twelve products, photographed as single parts, several parts in a view, and circuit boards.

Zou et al., "SPot-the-Difference self-supervised pre-training for anomaly detection and segmentation", ECCV 2022;
https://github.com/amazon-science/spot-diff (data: CC BY 4.0). One category is one folder, and the split of all of them
lies beside it:

    Data/Images/{Normal,Anomaly}/*.JPG   Data/Masks/Anomaly/*.png   ../split_csv/1cls.csv

The file of the split has the columns object, split, label, image and mask; paths in it begin with the category. A mask
holds the number of the kind of defect, 0 where there is none.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import GOOD, Sample, Split
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.layouts import check_layout, check_mask_size
from efficientad.data.files.walk import Finding, explain_left_out, list_tree
from efficientad.data.images.reading import read_image, read_mask
from efficientad.errors import DataError

ANOMALY = "anomaly"
_LINKED_LEVELS = 3  # such as Data/Images/Normal
_SPLIT_FILE = "split_csv/1cls.csv"
_SPLITS: dict[str, Split] = {"train": "train", "test": "test"}
_DEFECTS = {"normal": GOOD, ANOMALY: ANOMALY}


@dataclass(frozen=True)
class _Row:
    sample: Sample
    mask: Path | None


class VisaProvider(DatasetProvider):
    """One category at `<root>/<category>`, split by the published 1-class split at `<root>/split_csv/1cls.csv`.

    All defects are of one class, "anomaly": an image may show several kinds. DVC watches the category's folder, not
    the file of the split.
    """

    def __init__(self, path: Path) -> None:
        """Raise DataError where folders or the split are missing, and where images of the split are."""
        check_layout(path, "visa", ("Data/Images/Normal",))
        self.path = path
        self.rows = _read_split(path.parent / _SPLIT_FILE, path)
        missing = [name for name in self.rows if not (path / name).is_file()]
        if missing:
            raise DataError(
                f"expected the {len(self.rows)} images of {path.parent / _SPLIT_FILE} in {path}, {len(missing)} are "
                f"missing, such as {missing[0]}; unpack the data set again"
            )

    def list_samples(self) -> list[Sample]:
        """Return training and test samples, sorted by name."""
        return [row.sample for row in self.rows.values()]

    def load_image(self, sample: Sample) -> NDArray[np.uint8]:
        """Read the image."""
        return read_image(self.image_path(sample), self.limits)

    def load_mask(self, sample: Sample) -> NDArray[np.bool_] | None:
        """Read the mask; all False for a normal sample; None where a defective one has an empty mask.

        Raises DataError when the mask is missing or has another size than the image.
        """
        size, path = self.load_image(sample).shape[:2], self.rows[sample.name].mask
        if path is None:
            return np.zeros(size, np.bool_)
        mask = read_mask(path, limits=self.limits)
        check_mask_size(mask.shape, size, path)
        return mask if mask.any() else None

    def image_path(self, sample: Sample) -> Path:
        """Return the sample's file."""
        return self.path / sample.name

    def list_left_out(self) -> list[Finding]:
        """Return every file that the split does not name, and why nobody reads it."""
        masks = {row.mask.relative_to(self.path).as_posix() for row in self.rows.values() if row.mask}
        tree = list_tree(self.path, _LINKED_LEVELS)
        return explain_left_out(tree, {*self.rows, *masks}, lambda name: f"{_SPLIT_FILE} does not name it")


def _read_split(file: Path, path: Path) -> dict[str, _Row]:
    """Return the rows of the category at `path`, by the image's name."""
    try:
        lines = list(csv.DictReader(file.read_text("utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"expected VisA's split at {file}: {error}; it is in the data set's archive, beside the categories, and at "
            "https://github.com/amazon-science/spot-diff"
        ) from error
    rows = [_parse_row(line, file, path) for line in lines if line.get("object") == path.name]
    if not rows:
        objects = ", ".join(sorted({str(line.get("object")) for line in lines})) or "none"
        raise DataError(
            f"expected rows of the object {path.name} in {file}, found {objects}; check the category's name"
        )
    named = {row.sample.name: row for row in sorted(rows, key=lambda row: row.sample.name)}
    if len(named) < len(rows):
        twice = Counter(row.sample.name for row in rows).most_common(1)[0][0]
        raise DataError(f"expected each image once in {file}, got {twice} twice; restore the file")
    return named


def _parse_row(line: dict[str, str], file: Path, path: Path) -> _Row:
    start = f"{path.name}/"
    try:
        split, defect, image, mask = _SPLITS[line["split"]], _DEFECTS[line["label"]], line["image"], line["mask"]
    except KeyError as error:
        raise DataError(f"expected columns split, label, image and mask in {file}, got {line} ({error})") from error
    places = [place for place in (image, mask) if place]
    if (
        not image
        or any(not place.startswith(start) or ".." in place for place in places)
        or (bool(mask) != (defect != GOOD))
    ):
        raise DataError(
            f"expected an image below {start}, and a mask for an anomaly alone, in {file}, got {line}; restore the file"
        )
    return _Row(Sample(image.removeprefix(start), split, defect), path.parent / mask if mask else None)
