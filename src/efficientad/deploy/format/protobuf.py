"""Fields of a protobuf message, read and written without its schema: enough to change a few of an ONNX file.

What is not touched keeps its bytes. Source of the encoding: https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}


class Field(NamedTuple):
    """A field of a message: its number, its payload and its bytes as they stand in the message.

    The payload is what a field of text, bytes or a message holds; of numbers it is the number's own encoding.
    """

    number: int
    payload: bytes
    encoded: bytes


def read_fields(message: bytes) -> Iterator[Field]:
    """Yield a message's fields in their order; ValueError where it is no message, or is cut short."""
    place = 0
    while place < len(message):
        begin = place
        key, place = _read_varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            first = place
            _, place = _read_varint(message, place)
        elif kind == _LENGTH:
            size, first = _read_varint(message, place)
            place = first + size
        elif kind in _FIXED:
            first, place = place, place + _FIXED[kind]
        else:
            raise ValueError(f"a field of unknown kind {kind}")
        if place > len(message):
            raise ValueError("a field that is cut short")
        yield Field(key >> 3, message[first:place], message[begin:place])


def write_bytes(number: int, payload: bytes) -> Field:
    """Return a field that holds bytes, text or a message."""
    return Field(number, payload, _write_varint(number << 3 | _LENGTH) + _write_varint(len(payload)) + payload)


def write_number(number: int, value: int) -> Field:
    """Return a field that holds a whole number from 0."""
    payload = _write_varint(value)
    return Field(number, payload, _write_varint(number << 3 | _VARINT) + payload)


def join(fields: Iterable[Field]) -> bytes:
    """Return the message of these fields."""
    return b"".join(field.encoded for field in fields)


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(message) or shift > 63:
            raise ValueError("a number that is cut short")
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place


def _write_varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
