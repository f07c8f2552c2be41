"""Sources of photographs for distillation and penalty, and the array they are written to."""

from efficientad.data.pretraining.base import PretrainingSource
from efficientad.data.pretraining.embedded import EmbeddedSource
from efficientad.data.pretraining.folder import FolderSource
from efficientad.data.pretraining.imagenette import download_imagenette, open_imagenette
from efficientad.data.pretraining.views import Views
from efficientad.data.pretraining.write import Pretraining, load_pretraining, write_pretraining

__all__ = [
    "EmbeddedSource",
    "FolderSource",
    "Pretraining",
    "PretrainingSource",
    "Views",
    "download_imagenette",
    "load_pretraining",
    "open_imagenette",
    "write_pretraining",
]
