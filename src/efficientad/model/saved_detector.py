"""A detector from its file of weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from efficientad.errors import ModelError
from efficientad.model.detector import Detector
from efficientad.model.sizes import BankScale
from efficientad.model.weights import fill_module, load_state


def load_detector(path: Path) -> tuple[Detector, dict[str, Any]]:
    """Build the detector that a file holds, in evaluation mode, and return it with the file's header."""
    state, header = load_state(path)
    if "size" not in header:
        raise ModelError(f"expected a detector's weights at {path}, found a header without size")
    try:
        detector = _build(header)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"expected the header of a detector in {path}, got {type(error).__name__} {error}; run the stage that "
            "wrote it again"
        ) from error
    fill_module(detector, state, path)
    return detector.eval(), header


def _build(header: Mapping[str, Any]) -> Detector:
    region_size = tuple(header["image_size"]) if header.get("region") else None
    banks: list[tuple[BankScale, int]] = [(scale, patches) for scale, patches in header.get("memory_banks", [])]
    return Detector(header["size"], header.get("shared_convolutions", 0), region_size, banks)
