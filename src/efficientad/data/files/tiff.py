"""The directory of a TIFF 6.0 file, read without decoding its pixels."""

import struct
import zlib
from typing import Literal

from efficientad.data.files.container import Container

_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes by type, others 1
_MOST_TAGS = 1000  # images have some twenty; a decoder's work grows with the square of unknown ones
_MOST_SAMPLES = 4  # of a pixel
_LARGEST_TILE = 1024  # px: a side that small images may have for their tile
_SIDES, _TILE_SIDES = (256, 257), (322, 323)  # width, height
_DEPTH, _PHOTOMETRIC, _CMYK = 258, 262, 5
_SAMPLES, _SAMPLE_FORMAT, _FLOAT = 277, 339, 3
_COMPRESSION, _DEFLATE = 259, {(8,), (32946,)}
_STEP, _LARGEST_BLOCK = 2**20, 2**32  # bytes
_BLOCKS = ((273, 279), (324, 325))
_READ = {*_SIDES, *_TILE_SIDES, _DEPTH, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _SAMPLE_FORMAT, *sum(_BLOCKS, ())}
Entries = dict[int, tuple[int, ...]]


def inspect_tiff(payload: bytes) -> Container:
    """Read the first directory; its strips or tiles must lie inside the file and no other page follow.

    Raises ValueError with a reason that reads after "the file".
    """
    order: Literal["<", ">"] = "<" if payload.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(order + "I", payload, 4)
        (count,) = struct.unpack_from(order + "H", payload, start)
        places = range(start + 2, start + 2 + 12 * count, 12)
        _check_values(payload, order, places)
        entries = _read_entries(payload, order, places)
        (following,) = struct.unpack_from(order + "I", payload, start + 2 + 12 * count)
    except struct.error as error:
        raise ValueError("is cut short (its TIFF directory is not whole)") from error
    if following:
        raise ValueError("holds several pages: save the one page that is meant")
    _check_blocks(entries, payload)
    _check_samples(entries)
    width, height = (max(entries.get(tag) or (0,)) for tag in _SIDES)
    if not width * height:
        raise ValueError("is damaged (its TIFF tags name no width or height)")
    tile = [max(entries.get(tag) or (0,)) for tag in _TILE_SIDES]
    if any(side > max(_LARGEST_TILE, whole + 15) for side, whole in zip(tile, (width, height), strict=True)):
        raise ValueError("is damaged (its tiles are larger than the image)")
    return Container("tiff", max(entries.get(_DEPTH) or (1,)), True, height, width)


def _check_values(payload: bytes, order: str, places: range) -> None:
    """Refuse a directory whose values are larger than the file: they lie on each other, and a decoder copies each."""
    entries = (struct.unpack_from(order + "HHI", payload, place) for place in places)
    if sum(_SIZES.get(kind, 1) * count for _, kind, count in entries) > len(payload):
        raise ValueError("is damaged (its TIFF tags claim more values than it has bytes)")
    if len(places) > _MOST_TAGS:
        raise ValueError(f"has {len(places)} TIFF tags, more than the bound of {_MOST_TAGS}: save it without them")


def _read_entries(payload: bytes, order: str, places: range) -> Entries:
    """Return the whole-number values of the tags that are looked at; of each one at most: decoders differ in which."""
    entries: Entries = {}
    for place in places:
        tag, kind, count = struct.unpack_from(order + "HHI", payload, place)
        if tag in entries:
            raise ValueError("is damaged (a TIFF tag comes twice)")
        if tag in _READ and kind in (3, 4):
            values = place + 8
            if count * _SIZES[kind] > 4:
                (values,) = struct.unpack_from(order + "I", payload, values)
            entries[tag] = struct.unpack_from(f"{order}{count}{'H' if kind == 3 else 'I'}", payload, values)
        elif tag in _READ:  # a decoder may convert it
            entries[tag] = ()
    return entries


def _check_blocks(entries: Entries, payload: bytes) -> None:
    is_deflated = entries.get(_COMPRESSION) in _DEFLATE
    for offsets, lengths in _BLOCKS:
        blocks = list(zip(entries.get(offsets, ()), entries.get(lengths, ()), strict=False))
        if any(offset + size > len(payload) for offset, size in blocks):
            raise ValueError("is cut short (a strip or tile lies beyond its end)")
        for offset, size in blocks if is_deflated else ():
            _check_deflated(payload[offset : offset + size])


def _check_deflated(block: bytes) -> None:
    """Unpack a strip or tile for its checksum alone: OpenCV gives an image with noise in place of an error."""
    unpacked, stream = 0, zlib.decompressobj()
    try:
        while not stream.eof:
            part = stream.decompress(block, _STEP)
            block, unpacked = stream.unconsumed_tail, unpacked + len(part)
            if not part and not stream.eof:
                raise ValueError("is cut short (a strip or tile ends early)")
            if unpacked > _LARGEST_BLOCK:
                raise ValueError("is damaged (a strip or tile holds more than any image)")
    except zlib.error as error:
        raise ValueError("is damaged (a strip or tile does not have its checksum)") from error


def _check_samples(entries: Entries) -> None:
    if entries.get(_PHOTOMETRIC) == (_CMYK,):
        raise ValueError("holds CMYK colours, whose look depends on a printer: convert it to RGB")
    if _FLOAT in entries.get(_SAMPLE_FORMAT, ()):
        raise ValueError("holds float samples, whose range is unknown: scale it to 8 or 16 bits")
    samples = max(entries.get(_SAMPLES) or (1,))
    if samples > _MOST_SAMPLES:
        raise ValueError(f"holds {samples} samples a pixel: save it as grey or RGB")
