"""Which provider, for which params: data sets are swapped in params.yaml alone."""

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
from efficientad.data.files.images import read_mask
from efficientad.errors import DataError
from efficientad.pipeline.params import DataParams, ElpvParams, SyntheticParams


def build_provider(category: str, data: DataParams, synthetic: SyntheticParams, elpv: ElpvParams) -> DatasetProvider:
    """Build the provider of a category; its files, if it has any, lie below `data.root`/`category`.

    Raises DataError where the provider finds nothing of what it expects.
    """
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
    region = read_mask(path, at_least=128)
    if not region.any():
        raise DataError(f"expected white pixels in {path}, where images are to be judged, found none; paint the region")
    return region
