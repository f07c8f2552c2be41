"""What a station must know about a model beside its graph; it travels inside the model's file.

`calibrate` fills it, `export` and the engines read it, cpp/src/metadata.cpp reads what a program needs. The fields of
`ModelHeader` are the one list of them; in a file of weights they are JSON values, in an exported model text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import partial
from types import MappingProxyType
from typing import Any, get_args

from efficientad.errors import ModelError
from efficientad.model.branch import Branch
from efficientad.model.header_values import (
    read_branches,
    read_number,
    read_one_of,
    read_positive,
    read_rate,
    read_size,
    read_text,
    read_version,
)
from efficientad.model.sizes import SIZES, Policy


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
    def parse(
        cls, values: Mapping[str, Any], where: object, keys: Mapping[str, str] = MappingProxyType({})
    ) -> "ModelHeader":
        """Read the values of a model's metadata, JSON or text; ModelError names what is missing or no such value.

        keys: of fields that have another name in the metadata.
        """
        read: dict[str, Any] = {}
        for one in fields(cls):
            key = keys.get(one.name, one.name)
            if key in values:
                read[one.name] = _read(key, values[key], _READERS[one.name], where)
            elif one.default is MISSING:
                raise ModelError(
                    f"expected {key!r} in the metadata of {where}: it is not a calibrated detector of this "
                    "project; export it again (`dvc repro export`)"
                )
        return cls(**read)

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


def _read(key: str, value: Any, reader: Callable[[Any], Any], where: object) -> Any:
    try:
        return reader(value)
    except ValueError as expected:
        raise ModelError(
            f"expected {expected} as {key!r} in the metadata of {where}, got {_shorten(value)!r}; export it again "
            "(`dvc repro export`)"
        ) from expected


def _shorten(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


# What reads each field.
_READERS: dict[str, Callable[[Any], Any]] = {
    "size": partial(read_one_of, SIZES),
    "image_size": read_size,
    "category": read_text,
    "threshold": read_number,
    "false_alarm_rate": read_rate,
    "display_scale": read_positive,
    "training_data": read_text,
    "version": read_version,
    "code_hash": read_text,
    "threshold_policy": partial(read_one_of, get_args(Policy)),
    "branches": read_branches,
}
