"""Sizes and choices that the whole package shares; importing it loads no torch."""

from typing import Literal

PDNSize = Literal["S", "M"]
HighOf = Literal["images", "pixels"]
Policy = Literal["rate", "margin"]  # of a threshold
VIEW_PX = 256  # height and width at which the autoencoder sees an image, whatever the image's own size is
