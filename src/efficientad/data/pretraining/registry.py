"""Which source of photographs, for which params."""

from pathlib import Path

from efficientad.data.pretraining.base import PretrainingSource
from efficientad.data.pretraining.crops import Crops
from efficientad.data.pretraining.embedded import EmbeddedSource
from efficientad.data.pretraining.folder import FolderSource
from efficientad.data.pretraining.imagenette import open_imagenette
from efficientad.pipeline.params import PretrainingParams


def build_pretraining_source(params: PretrainingParams) -> PretrainingSource:
    """Build the source of photographs; nothing is fetched. Raises DataError where a folder holds none."""
    source: PretrainingSource
    if params.provider == "embedded":
        source = EmbeddedSource(params.count, params.seed)
    elif params.provider == "imagenette":
        source = open_imagenette(Path(params.root), params.count, params.seed)
    else:
        source = FolderSource(Path(params.root), params.count, params.seed)
    return Crops(source, params.images_per_photograph, params.seed)
