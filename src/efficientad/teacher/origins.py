"""Where the published teachers come from: two places that hold the same weights, each file checked before it is read.

github nelson1425/EfficientAD holds a file of each size, anomalib's release one archive with both. The code and the
weights of both are under Apache-2.0.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from efficientad.data.download.checksums import Checksum, Phase
from efficientad.data.download.fetch import Pause, fetch_file, hold_folder, wait
from efficientad.errors import DownloadError
from efficientad.model.sizes import PDNSize

Origin = Literal["nelson1425", "anomalib"]


@dataclass(frozen=True)
class PublishedFile:
    """One file at `address`/`name`; `member` is the name of the weights in an archive, None where it is no archive."""

    title: str
    address: str
    name: str
    blob_id: str | None = None
    sha256: str | None = None
    member: str | None = None

    @property
    def checksum(self) -> Checksum:
        """What the file must give."""
        return Checksum("blob_id", self.blob_id) if self.blob_id else Checksum("sha256", str(self.sha256))


_REFERENCE = "nelson1425/EfficientAD"
_COMMIT = "fcab5146f84ae17597044ad5ddf1656ccf805401"
_REFERENCE_ADDRESS = f"https://raw.githubusercontent.com/{_REFERENCE}/{_COMMIT}/models"
_REFERENCE_TITLE = f"github {_REFERENCE} at {_COMMIT}"
_RELEASE = "efficientad_pretrained_weights"
_RELEASE_ADDRESS = f"https://github.com/openvinotoolkit/anomalib/releases/download/{_RELEASE}"
_RELEASE_TITLE = f"github openvinotoolkit/anomalib, release {_RELEASE}"
_RELEASE_SHA256 = "c09aeaa2b33f244b3261a5efdaeae8f8284a949470a4c5a526c61275fe62684a"

FILES: dict[tuple[Origin, PDNSize], PublishedFile] = {
    ("nelson1425", "S"): PublishedFile(
        _REFERENCE_TITLE, _REFERENCE_ADDRESS, "teacher_small.pth", "631c66c9efa7f1c0629bba344e8583fed9380bf0"
    ),
    ("nelson1425", "M"): PublishedFile(
        _REFERENCE_TITLE, _REFERENCE_ADDRESS, "teacher_medium.pth", "29db5c54b462ef32eec8ac1046b4a9770ac1dcb5"
    ),
    ("anomalib", "S"): PublishedFile(
        _RELEASE_TITLE, _RELEASE_ADDRESS, f"{_RELEASE}.zip",
        sha256=_RELEASE_SHA256, member="pretrained_teacher_small.pth",
    ),
    ("anomalib", "M"): PublishedFile(
        _RELEASE_TITLE, _RELEASE_ADDRESS, f"{_RELEASE}.zip",
        sha256=_RELEASE_SHA256, member="pretrained_teacher_medium.pth",
    ),
}  # fmt: skip


def fetch_published(
    file: PublishedFile,
    folder: Path,
    mirror: str | None = None,
    phase: Phase = lambda _: None,
    pause: Pause = wait,
) -> Path:
    """Fetch a published file into `folder` and return its path; a file with the right checksum is kept as it is.

    `mirror` is the address of a folder that holds the same file under the same name. Raises DownloadError as
    `fetch_file` does, with what to do where there is no network.
    """
    address = (mirror or file.address).rstrip("/")
    path = folder / file.name
    try:
        with hold_folder(folder):
            return fetch_file(f"{address}/{file.name}", path, file.checksum, phase=phase, pause=pause)
    except DownloadError as error:
        raise DownloadError(
            f"{error}. Without a network: fetch {file.address}/{file.name} on another machine, check that it has "
            f"{file.checksum}, put it at {path} and run this command again; --origin names another publisher of the "
            "same weights, --mirror another server"
        ) from error


def describe_published(size: PDNSize, file: PublishedFile) -> dict[str, Any]:
    """Return the header of a teacher's weights; the publishers do not tell its error on held-out images.

    Backbone, steps and batch size stand in pretraining.py of nelson1425/EfficientAD.
    """
    published = f"{file.member or file.name}, {file.title}"
    return {"size": size, "backbone": "wide_resnet101_2", "steps": 60_000, "batch_size": 16, "published": published}
