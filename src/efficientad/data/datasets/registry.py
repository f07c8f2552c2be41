"""Which provider, for which params: data sets are swapped in params.yaml alone."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.elpv import ElpvProvider
from efficientad.data.datasets.folder import FolderProvider
from efficientad.data.datasets.magnetic_tile import MagneticTileProvider
from efficientad.data.datasets.mvtec import MVTecProvider
from efficientad.data.datasets.mvtec_3d import MVTec3DProvider
from efficientad.data.datasets.mvtec_loco import MVTecLocoProvider
from efficientad.data.datasets.synthetic.provider import SyntheticProvider
from efficientad.data.datasets.visa import VisaProvider
from efficientad.data.files.limits import Limits
from efficientad.data.files.walk import Finding
from efficientad.data.images.reading import read_mask
from efficientad.errors import DataError
from efficientad.pipeline.params import DataParams, ElpvParams, SyntheticParams

_BORDER_PX = 16  # in which no patch of S and M is centred (maps.BORDER_CELLS)


def build_provider(category: str, data: DataParams, synthetic: SyntheticParams, elpv: ElpvParams) -> DatasetProvider:
    """Build the provider of a category; its files, if it has any, lie below `data.root`/`category`.

    Raises DataError where the provider finds nothing of what it expects.
    """
    provider = _open_provider(category, data, synthetic, elpv)
    provider.limits = read_limits(data)
    return provider


def read_limits(data: DataParams) -> Limits:
    """Return the bounds of an image's file."""
    return Limits(data.max_megapixels, data.max_megabytes)


def find_border(sizes: Collection[str]) -> int:
    """Return how many of the outermost px of prepared images some size does not judge: S and M 16, L none."""
    return 0 if {*sizes} <= {"L"} else _BORDER_PX


def list_left_out(provider: DatasetProvider, data: DataParams) -> list[Finding]:
    """Return the files that nobody reads: neither the provider, nor as `data.region` or `data.group`."""
    return [one for one in provider.list_left_out() if one.file not in (data.region, data.group)]


def _open_provider(category: str, data: DataParams, synthetic: SyntheticParams, elpv: ElpvParams) -> DatasetProvider:
    path = Path(data.root) / category
    if data.provider == "synthetic":
        return SyntheticProvider(
            category, synthetic.train, synthetic.test_good, synthetic.test_per_defect, synthetic.seed
        )
    if data.provider == "mvtec":
        return MVTecProvider(path)
    if data.provider == "mvtec_loco":
        return MVTecLocoProvider(path)
    if data.provider == "mvtec_3d":
        return MVTec3DProvider(path)
    if data.provider == "visa":
        return VisaProvider(path)
    if data.provider == "magnetic_tile":
        return MagneticTileProvider(path)
    if data.provider == "elpv":
        return ElpvProvider(elpv.minimum_probability)
    return FolderProvider(path)


def load_region(category: str, data: DataParams) -> NDArray[np.bool_] | None:
    """Read the region of interest (H, W) at its own size; None where `data.region` names none.

    Raises DataError when the file is missing or unreadable, or nothing in it is white.
    """
    if data.region is None:
        return None
    path = Path(data.root) / category / data.region
    region = read_mask(path, 128, read_limits(data))
    if not region.any():
        raise DataError(f"expected white pixels in {path}, where images are to be judged, found none; paint the region")
    return region
