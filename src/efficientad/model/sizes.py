"""Sizes and choices that the whole package shares; importing it loads no torch."""

from typing import Literal, get_args

PDNSize = Literal["S", "M"]  # patch description networks
Size = Literal["S", "M", "L"]  # of a detector; L has no patch description network
SIZES: tuple[Size, ...] = get_args(Size)
BankScale = Literal["detail", "fine", "coarse"]  # of a memory bank
HighOf = Literal["images", "pixels"]
Policy = Literal["rate", "margin"]  # of a threshold
VIEW_PX = 256  # height and width at which the autoencoder sees an image, whatever the image's own size is
