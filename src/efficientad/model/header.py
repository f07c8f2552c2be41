"""What a station must know about a model beside its graph; it travels inside the model's file.

`calibrate` fills it, `export` and the engines read it, cpp/src/metadata.cpp reads what a program needs. The fields of
`ModelHeader` are the one list of them; in a file of weights they are JSON values, in an exported model text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

from efficientad.errors import ModelError
from efficientad.model.branch import Branch, Quantiles
from efficientad.model.sizes import Policy


@dataclass(frozen=True)
class ModelHeader:
    """What a station must know about a model beside its graph; it travels inside the model's file."""

    size: str  # S, M or L
    image_size: tuple[int, int]  # px, height and width of the graph's input
    category: str  # the product
    threshold: float  # a score above it is anomalous
    false_alarm_rate: float  # the bound that the threshold keeps
    display_scale: float  # raw score that spans the displayed 0 .. 1, around 0.5 at the threshold
    training_data: str  # sha256 of the normal images that it was trained and calibrated on
    version: str  # of this package
    code_hash: str = ""  # sha256 of the source files that exported it; empty where that is not known
    threshold_policy: Policy = "rate"  # how the threshold was chosen
    branches: tuple[Branch, ...] = ()  # whose maps are averaged, and the quantiles of each

    @classmethod
    def parse(cls, values: Mapping[str, Any], where: object) -> "ModelHeader":
        """Read the values of a model's metadata, JSON or text; ModelError names what is missing."""
        missing = [one.name for one in fields(cls) if one.name not in values and one.default is MISSING]
        if missing:
            raise ModelError(
                f"expected {missing[0]!r} in the metadata of {where}: it is not a calibrated detector of this "
                "project; export it again (`dvc repro export`)"
            )
        return cls(**{name: _PARSERS.get(name, str)(values[name]) for name in list_names() if name in values})

    def describe(self) -> dict[str, Any]:
        """Return JSON values that `parse` reads back."""
        values = {name: getattr(self, name) for name in list_names()}
        return values | {"image_size": list(self.image_size), "branches": flatten_branches(self.branches)}

    def scale_score(self, score: float) -> float:
        """Return a raw score as the station shows it: in [0, 1], 0.5 at the threshold.

        >>> ModelHeader("S", (256, 256), "x", 0.3, 0.05, 0.4, "", "").scale_score(0.4)
        0.75
        """
        return round(min(1.0, max(0.0, (score - self.threshold) / self.display_scale + 0.5)), 6)


def list_names() -> list[str]:
    """Return the names of a header's fields, in their order."""
    return [one.name for one in fields(ModelHeader)]


def flatten_branches(branches: Sequence[Branch]) -> list[str | float]:
    """Return name, low and high of each branch, one after the other."""
    return [value for one in branches for value in (one.name, one.quantiles.low, one.quantiles.high)]


def _parse_branches(value: Any) -> tuple[Branch, ...]:
    values = _split(value)
    triples = zip(values[::3], values[1::3], values[2::3], strict=True)
    return tuple(Branch(str(name), Quantiles(float(low), float(high))) for name, low, high in triples)


def _parse_size(value: Any) -> tuple[int, int]:
    height, width = _split(value)
    return int(height), int(width)


def _split(value: Any) -> Sequence[Any]:
    return value.split() if isinstance(value, str) else value


# What reads the fields that are not text.
_PARSERS: dict[str, Callable[[Any], Any]] = {
    "image_size": _parse_size,
    "threshold": float,
    "false_alarm_rate": float,
    "display_scale": float,
    "branches": _parse_branches,
}
