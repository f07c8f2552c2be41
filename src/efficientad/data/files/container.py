"""What an image file says of itself before it is decoded."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["jpeg", "png", "tiff", "bmp", "webp"]


@dataclass(frozen=True)
class Container:
    """`kind` of file; `bits` per sample; `alpha`: whether the image may carry transparency; sides in px as stored."""

    kind: Kind
    bits: int
    alpha: bool
    height: int
    width: int
