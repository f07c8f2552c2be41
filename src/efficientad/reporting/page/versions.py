"""Which data, code and model a page is about; no date and no commit, so that equal inputs give equal bytes."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from efficientad.errors import DataError
from efficientad.model.header import ModelHeader
from efficientad.reporting.page.sources import Sources

_BLOCK = 2**20


@dataclass(frozen=True)
class Versions:
    """Hashes in hex. training_data: as in every model file; test_data: of the test images, made alike."""

    header: ModelHeader
    training_data: str
    test_data: str
    detector_md5: str
    splits: dict[str, int]  # images by split
    native_sizes: list[str]  # width x height in px, the most frequent first


def list_versions(sources: Sources) -> Versions:
    """Collect what identifies the inputs of a page."""
    sizes = Counter(f"{row.width} × {row.height}" for row in sources.rows)
    header = sources.headers["fp32"]
    return Versions(
        header=header,
        training_data=header.training_data,
        test_data=hash_images([row.sha256 for row in sources.rows if row.split == "test"]),
        detector_md5=sources.detector_md5,
        splits=dict(Counter(row.split for row in sources.rows)),
        native_sizes=[size for size, _ in sizes.most_common()],
    )


def hash_images(digests: list[str]) -> str:
    """Return the sha256 of images' own, whatever their order: as `hash_normals` names the training data."""
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def hash_file(path: Path) -> str:
    """Return the MD5 of a file, by which dvc.lock names it; DataError where it is missing."""
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise DataError(f"expected a file at {path}: {error}; run the stage that writes it again") from error
    return digest.hexdigest()
