"""A detector from its file of weights."""

from pathlib import Path
from typing import Any

from efficientad.errors import ModelError
from efficientad.model.detector import Detector
from efficientad.model.sizes import BankScale
from efficientad.model.weights import load_header, load_weights


def load_detector(path: Path) -> tuple[Detector, dict[str, Any]]:
    """Build the detector that a file holds, in evaluation mode, and return it with the file's header."""
    header = load_header(path)
    if "size" not in header:
        raise ModelError(f"expected a detector's weights at {path}, found a header without size")
    region_size = tuple(header["image_size"]) if header.get("region") else None
    banks: list[tuple[BankScale, int]] = [(scale, patches) for scale, patches in header.get("memory_banks", [])]
    detector = Detector(header["size"], header.get("shared_convolutions", 0), region_size, banks)
    load_weights(detector, path)
    return detector.eval(), header
