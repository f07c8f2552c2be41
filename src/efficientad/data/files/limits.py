"""How large an image may be before it is decoded: a small file can promise more pixels than the memory holds."""

import math
from dataclasses import dataclass

_MEGA = 10**6


@dataclass(frozen=True)
class Limits:
    """The bounds, both included: `megapixels` of 10^6 px of an image, `megabytes` of 10^6 bytes of its file.

    `advice`: what to do with a larger one.
    """

    megapixels: float
    megabytes: float
    advice: str = "to raise it: --max-{unit}; in params.yaml data.max_{unit}"

    def check_bytes(self, count: int) -> None:
        """Raise ValueError, with a reason that reads after "the file", for a file of more bytes."""
        if count > self.megabytes * _MEGA:
            raise ValueError(
                f"has {count / _MEGA:,.1f} MB, more than the bound of {self.megabytes:g} "
                f"({self.advice.format(unit='megabytes')})"
            )

    def check_pixels(self, height: int, width: int) -> None:
        """Raise ValueError, likewise, for an image of more pixels."""
        if height * width > self.megapixels * _MEGA:
            raise ValueError(
                f"has {width} x {height} px, more than the bound of {self.megapixels:g} megapixels "
                f"({self.advice.format(unit='megapixels')})"
            )


LIMITS = Limits(megapixels=200, megabytes=1024)
"""Where neither params nor options name others; the station's program has the same."""
UNBOUNDED = Limits(math.inf, math.inf)
"""Of what was checked before."""
