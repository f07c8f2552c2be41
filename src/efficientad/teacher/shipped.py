"""The teachers that come with the package."""

from pathlib import Path

from efficientad.model.sizes import PDNSize


def locate_shipped_teacher(size: PDNSize) -> Path:
    """Return the weights of the teacher of a size; README.md beside them is its card."""
    return Path(__file__).parent / "weights" / f"{size}.safetensors"
