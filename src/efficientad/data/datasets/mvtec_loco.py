"""MVTec LOCO AD: structural defects, and logical ones, where every part is sound and their number or order is not.

Bergmann et al., "Beyond dents and scratches: logical constraints in unsupervised anomaly detection and localization",
IJCV 130, 2022, https://www.mvtec.com/company/research/datasets/mvtec-loco (CC BY-NC-SA 4.0: no commercial use). One
category is one folder:

    {train,validation}/good/*.png   test/{good,logical_anomalies,structural_anomalies}/*.png
    ground_truth/<class>/<stem of the image>/*.png   defects_config.json

A mask's file is one defect, and the defects of an image may overlap. Its pixels are 0 or the number of the kind of
defect. defects_config.json lists the kinds: "defect_name", "pixel_value", and from which area on a defect counts as
found, "saturation_threshold": a share of the defect's own area where "relative_saturation" is true, else px.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import Sample
from efficientad.data.datasets.base import AnnotatedDefect
from efficientad.data.datasets.layouts import check_layout, check_mask_size
from efficientad.data.datasets.mvtec import MVTecProvider
from efficientad.data.files.walk import Finding
from efficientad.data.images.reading import read_image
from efficientad.errors import DataError
from efficientad.pipeline.parsing import show

_CONFIG = "defects_config.json"
_PARTS = ("train/good", "validation/good", "test", "ground_truth", _CONFIG)


@dataclass(frozen=True)
class _Saturation:
    """threshold: share of a defect's area where `relative`, else px."""

    threshold: float
    relative: bool

    def find_share(self, area: int) -> float:
        return self.threshold if self.relative else min(self.threshold / area, 1.0)


class MVTecLocoProvider(MVTecProvider):
    """One category at `<root>/<category>`, its defects one by one."""

    def __init__(self, path: Path) -> None:
        """Raise DataError when a part of the layout is missing, or defects_config.json is not as described above."""
        check_layout(path, "mvtec_loco", _PARTS)
        super().__init__(path)
        self.saturations = _read_config(path / _CONFIG)

    def load_mask(self, sample: Sample) -> NDArray[np.bool_]:
        """Return the union of the sample's defects; raises as `load_defects`."""
        mask = np.zeros(self.load_image(sample).shape[:2], np.bool_)
        for defect in self.load_defects(sample):
            mask |= defect.mask
        return mask

    def load_defects(self, sample: Sample) -> list[AnnotatedDefect]:
        """Read the defects of a sample in the order of their files; none for a normal one.

        Raises DataError where a defective sample has no mask, and for a mask of another size than the image, without
        a defect, with several values, or with one that defects_config.json does not list.
        """
        if not sample.label:
            return []
        folder = self._locate_mask(sample)
        files = sorted(folder.glob("*.png"))
        if not files:
            raise DataError(f"expected masks of {sample.name} in {folder}, found none; restore them")
        size = self.load_image(sample).shape[:2]
        return [self._read_defect(file, size) for file in files]

    def list_left_out(self) -> list[Finding]:
        """Return every file that is neither a sample, nor a sample's mask, nor the list of kinds, and why."""
        return [one for one in super().list_left_out() if one.file != _CONFIG]

    def _read_defect(self, path: Path, size: tuple[int, ...]) -> AnnotatedDefect:
        levels = read_image(path, self.limits).max(axis=-1)
        check_mask_size(levels.shape, size, path)
        values = np.unique(levels[levels > 0]).tolist()
        if len(values) != 1 or values[0] not in self.saturations:
            raise DataError(
                f"expected one value above 0 in {path}, and that among {sorted(self.saturations)} of "
                f"{self.path / _CONFIG}, got {values}; restore the mask"
            )
        mask = levels > 0
        return AnnotatedDefect(mask, self.saturations[values[0]].find_share(int(mask.sum())))


def _read_config(path: Path) -> dict[int, _Saturation]:
    """Return the saturation of each kind of defect, by its value in masks."""
    try:
        entries = [_parse_entry(entry) for entry in json.loads(path.read_text("utf-8"))]
        if len(dict(entries)) < len(entries):
            raise ValueError("a pixel_value twice")
        return dict(entries)
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise DataError(
            f"expected kinds of defects with pixel_value, saturation_threshold and relative_saturation in {path}: "
            f"{show(error)}; restore the file"
        ) from error


def _parse_entry(entry: dict[str, Any]) -> tuple[int, _Saturation]:
    value, relative = entry["pixel_value"], entry["relative_saturation"]
    threshold = float(entry["saturation_threshold"])
    if not isinstance(relative, bool) or value not in range(1, 256) or not 0 < threshold <= (1 if relative else np.inf):
        raise ValueError(entry)
    return int(value), _Saturation(threshold, relative)
