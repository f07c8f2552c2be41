"""A tree of plain values, as YAML gives it, to frozen dataclasses, checked against their annotations."""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from efficientad.errors import ParamsError

T = TypeVar("T")
LONGEST_NAME = 100
LONGEST_SHOWN = 120  # characters of a value in an error
_NAME = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_-]{{0,{LONGEST_NAME - 1}}}")


@dataclass(frozen=True)
class Range:
    """The values allowed for a number: low <= value <= high."""

    low: float
    high: float


class HomePath:
    """Marks text that is a path: a leading ~ stands for the user's home folder."""


class InnerPath:
    """Marks text that is a path to something inside of a folder."""


def check_name(name: str, where: str) -> str:
    """Return a name that is safe as a folder, a key of params.yaml and a word on a command line; else ParamsError.

    >>> check_name("gear_2-left", "categories[0]")
    'gear_2-left'
    """
    if not _NAME.fullmatch(name):
        raise ParamsError(
            f"{where}: expected 1 to {LONGEST_NAME} letters a-z or A-Z, digits, _ and - (not first), got {show(name)}; "
            "rename it and its folder"
        )
    return name


def show(value: object) -> str:
    """Return a value as an error shows it: short, on one line.

    >>> show("x" * 1000)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… (1002 characters)"
    """
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole numbers of thousands of digits
        text = "a number of too many digits"
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN // 2 + 1]}… ({len(text)} characters)"


def starts_at_home(path: str) -> bool:
    """Say whether a path begins with ~ alone, not with another user's name or as a pattern might."""
    return path[:1] == "~" and path[1:2] in ("", "/", os.sep)


def parse_section(cls: type[T], tree: Any, where: str) -> T:
    """Build `cls` from a mapping of its fields; `where` names the mapping in errors.

    Annotations may be int, float, str, Literal, X | None, X | tuple[X, ...], tuple[X, ...], Annotated[number, Range],
    Annotated[str, HomePath] and further dataclasses. Raises ParamsError for a key that is unknown, missing, of the
    wrong type or out of range.
    """
    if not isinstance(tree, Mapping):
        raise ParamsError(f"{where}: expected a section, got {show(tree)}")
    hints = get_type_hints(cls, include_extras=True)
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    dot = f"{where}." if where else ""
    for key in tree:
        if key not in names:
            raise ParamsError(f"{dot}{key}: unknown key; expected one of {', '.join(names)}")
    for name in names:
        if name not in tree:
            raise ParamsError(f"{dot}{name}: missing; see the params.yaml that came with this version")
    return cls(**{name: _parse_value(hints[name], tree[name], f"{dot}{name}") for name in names})


def _parse_value(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return parse_section(hint, value, where)  # type: ignore[arg-type]
    if origin is Annotated:
        return _parse_annotated(arguments[1], _parse_value(arguments[0], value, where), where)
    if origin is Literal:
        if value not in arguments:
            raise ParamsError(f"{where}: expected one of {', '.join(map(str, arguments))}, got {show(value)}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise ParamsError(f"{where}: expected a list, got {show(value)}")
        return tuple(_parse_value(arguments[0], one, f"{where}[{i}]") for i, one in enumerate(value))
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        kinds = [one for one in arguments if one is not NoneType]
        fitting = [one for one in kinds if (get_origin(one) is tuple) == isinstance(value, list)]
        return _parse_value((fitting or kinds)[0], value, where)
    return _parse_scalar(hint, value, where)


def _parse_annotated(mark: Any, value: Any, where: str) -> Any:
    if isinstance(mark, Range):
        if not mark.low <= value <= mark.high:
            raise ParamsError(f"{where}: expected {mark.low} <= value <= {mark.high}, got {show(value)}")
        return value
    if not value or not value.isprintable():
        raise ParamsError(f"{where}: expected a path of printable characters, got {show(value)}; correct it")
    if mark is InnerPath and (Path(value).is_absolute() or ".." in Path(value).parts):
        raise ParamsError(
            f"{where}: expected a file in the category's folder, as DVC watches no other, got {show(value)}"
        )
    return str(Path(value).expanduser()) if mark is HomePath and starts_at_home(value) else value


def _parse_scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 2**63 else math.inf
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        hint_text = {"int": "a whole number", "float": "a number", "str": "text"}.get(hint.__name__, hint.__name__)
        note = " (YAML reads 1e-4 as text: write 1.0e-4)" if hint is float and isinstance(value, str) else ""
        raise ParamsError(f"{where}: expected {hint_text}, got {show(value)}{note}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ParamsError(f"{where}: expected a finite number, got {value}")
    return value
