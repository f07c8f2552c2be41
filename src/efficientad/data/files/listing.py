"""The images of a folder, by their suffix."""

from pathlib import Path

from efficientad.errors import DataError

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
MASK_SUFFIXES = frozenset({".png", ".bmp", ".tif", ".tiff"})


def list_images(folder: Path) -> list[Path]:
    """Return every image below a folder (recursive, by suffix), sorted by posix path.

    Hidden files and what lies in hidden folders are skipped. Raises DataError when the folder is missing.
    """
    if not folder.is_dir():
        raise DataError(f"expected a folder of images at {folder}, found none; check the path")
    relative = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    visible = (path for path in relative if not any(part.startswith(".") for part in path.parts))
    return [folder / path for path in sorted(visible, key=Path.as_posix) if (folder / path).is_file()]
