"""Imagenette: 9,469 training photographs of ten ImageNet classes, https://github.com/fastai/imagenette.

The archive is Apache-2.0; the photographs are ImageNet's, for research use.
"""

from pathlib import Path
from typing import Literal

from efficientad.data.files.download import Progress, download, extract_archive
from efficientad.data.pretraining.folder import FolderSource
from efficientad.errors import DataError

Resolution = Literal["full", "320", "160"]
_URL = "https://s3.amazonaws.com/fast-ai-imageclas/"
ARCHIVES: dict[Resolution, tuple[str, str]] = {
    "full": ("imagenette2", "fe2fc210e6bb7c5664d602c3cd71e612"),
    "320": ("imagenette2-320", "3df6f0d01a2c9592104656642f5e78a3"),
    "160": ("imagenette2-160", "e793b78cc4c9e9a4ccc0c1155377a412"),
}
"""Name and MD5 of each archive, as the publisher's users verify them (the sizes: 1.5 GB, 342 MB, 99 MB)."""


def download_imagenette(root: Path, resolution: Resolution = "full", progress: Progress | None = None) -> Path:
    """Fetch and unpack Imagenette below `root` and return the folder of its training photographs.

    "320" and "160" name the shorter side in px; "full" keeps ImageNet's own size. What is there already is
    neither fetched nor unpacked again. Raises DownloadError as `download` does.
    """
    name, md5 = ARCHIVES[resolution]
    unpacked = root / f".{name}.unpacked"
    if not unpacked.is_file():
        archive = download(f"{_URL}{name}.tgz", root / f"{name}.tgz", md5=md5, progress=progress)
        extract_archive(archive, root)
        unpacked.touch()
    return root / name / "train"


def open_imagenette(root: Path, count: int | None, seed: int, resolution: Resolution = "full") -> FolderSource:
    """Return Imagenette's training photographs as a source; DataError when `download_imagenette` did not put them."""
    name, _ = ARCHIVES[resolution]
    if not (root / f".{name}.unpacked").is_file():
        raise DataError(
            f"expected Imagenette below {root}, found none; fetch it first: "
            f"efficientad download imagenette --output {root}"
        )
    return FolderSource(root / name / "train", count, seed)
