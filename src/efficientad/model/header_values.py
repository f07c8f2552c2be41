"""Values of a model's header, JSON or text, read strictly: cpp/src/metadata.cpp reads the same.

Each raises ValueError with what was expected. Text comes from exported files, JSON values from files of weights.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

from efficientad.model.branch import Branch, Quantiles

VERSIONS = ("0.1",)  # MAJOR.MINOR of the packages whose models this one reads
MOST_PX = 16_384  # of an image's side, as a graph takes it

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
_WORD = re.compile(r"\S+", re.ASCII)
_VERSION = re.compile(r"([0-9]+\.[0-9]+)\.[0-9]+\S*", re.ASCII)


def read_number(value: Any) -> float:
    """Return a finite number."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        number = float(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) < 1e308 else math.inf
    else:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("a finite number")
    return number


def read_positive(value: Any) -> float:
    """Return a finite number above 0."""
    number = _read_or_nan(value)
    if not number > 0:
        raise ValueError("a finite number above 0")
    return number


def read_rate(value: Any) -> float:
    """Return a number above 0 and below 1."""
    number = _read_or_nan(value)
    if not 0 < number < 1:
        raise ValueError("a number above 0 and below 1")
    return number


def read_size(value: Any) -> tuple[int, int]:
    """Return height and width in px."""
    sides = [str(side) for side in split(value) if isinstance(side, str | int)]
    if len(sides) != 2 or not all(_WHOLE.fullmatch(side) and 0 < int(side) <= MOST_PX for side in sides):
        raise ValueError(f"a height and a width from 1 to {MOST_PX} px")
    return int(sides[0]), int(sides[1])


def read_text(value: Any) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def read_one_of(names: Sequence[str], value: Any) -> str:
    """Return one of the names."""
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"one of {', '.join(names)}")
    return value


def read_version(value: Any) -> str:
    """Return the version of a package whose models this one reads."""
    found = _VERSION.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[1] not in VERSIONS:
        raise ValueError(f"a version of {', '.join(VERSIONS)}")
    return str(value)


def read_branches(value: Any) -> tuple[Branch, ...]:
    """Return the branches from name, low and high of each."""
    values = split(value)
    if (
        not isinstance(value, str | list | tuple)
        or len(values) % 3
        or not all(isinstance(name, str) for name in values[::3])
    ):
        raise ValueError("a name and two numbers of each branch")
    triples = zip(values[::3], values[1::3], values[2::3], strict=True)
    return tuple(Branch(name, Quantiles(read_number(low), read_number(high))) for name, low, high in triples)


def split(value: Any) -> Sequence[Any]:
    """Return the words of a text between blanks of ASCII, or the values of a JSON list; of anything else nothing."""
    if isinstance(value, str):
        return _WORD.findall(value)
    return value if isinstance(value, list | tuple) else []


def _read_or_nan(value: Any) -> float:
    try:
        return read_number(value)
    except ValueError:
        return math.nan
