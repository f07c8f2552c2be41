"""Which provider, for which params: data sets are swapped in params.yaml alone."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.base import DatasetProvider
from efficientad.data.elpv import ElpvProvider
from efficientad.data.folder import FolderProvider
from efficientad.data.images import read_mask
from efficientad.data.magnetic_tile import MagneticTileProvider
from efficientad.data.mvtec import MVTecProvider
from efficientad.data.pretraining.base import PretrainingSource
from efficientad.data.pretraining.embedded import EmbeddedSource
from efficientad.data.pretraining.folder import FolderSource
from efficientad.data.pretraining.imagenette import open_imagenette
from efficientad.data.pretraining.views import Views
from efficientad.data.synthetic import SyntheticProvider
from efficientad.errors import DataError
from efficientad.params import DataParams, PretrainingParams, SyntheticParams


def build_provider(category: str, data: DataParams, synthetic: SyntheticParams) -> DatasetProvider:
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
    if data.provider == "magnetic_tile":
        return MagneticTileProvider(path, data.train_fraction, data.split_seed)
    if data.provider == "elpv":
        return ElpvProvider(data.train_fraction, data.split_seed, data.elpv_minimum_probability)
    return FolderProvider(path, 1 - data.train_fraction, data.split_seed)


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


def build_pretraining_source(params: PretrainingParams) -> PretrainingSource:
    """Build the source of photographs; nothing is fetched. Raises DataError where a folder holds none."""
    source: PretrainingSource
    if params.provider == "embedded":
        source = EmbeddedSource(params.count, params.seed)
    elif params.provider == "imagenette":
        source = open_imagenette(Path(params.root), params.count, params.seed)
    else:
        source = FolderSource(Path(params.root), params.count, params.seed)
    return Views(source, params.views, params.seed)
