"""What a detector averages: its branches and what normalises the map of each. Stations read this without torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quantiles:
    """The values of a raw map at its low and high quantile over normal images."""

    low: float
    high: float


@dataclass(frozen=True)
class Branch:
    """One of the maps that a detector averages: its name, such as "student", and what normalises it."""

    name: str
    quantiles: Quantiles
