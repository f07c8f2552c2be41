"""A file that states its own checksum: the sha256 of all its bytes but the digits in which it stands.

It covers what a model computes, what it says of itself and how both are written down. No format is parsed for it, so
that a program in another language computes the same: cpp/src/checksum.cpp, docs/decisions/0043. It finds damage and
files that were mixed up, not a forger, who would state another checksum.
"""

import hashlib
import hmac
import re

from efficientad.errors import ModelError

UNSEALED = "0" * 64  # stands where the checksum is to come
_DIGITS = re.compile(rb"[0-9a-f]{64}")


def seal(content: bytes, marker: bytes, behind: bytes = b"") -> bytes:
    """Return a file's content with its checksum in the place of the 64 digits that follow `marker`.

    marker: occurs once; ValueError otherwise. behind: another file's content that the checksum covers as well.
    """
    place = _find_digits(content, marker)
    if place is None:
        raise ValueError(f"expected {marker!r} once, with 64 digits behind it")
    return content[:place] + _compute(content, place, behind).encode() + content[place + len(UNSEALED) :]


def check_seal(content: bytes, marker: bytes, what: str, remedy: str, behind: bytes = b"") -> str:
    """Return the checksum that a file states, see `seal`.

    what: such as "an ONNX model at detector.onnx". remedy: what to do. Raises ModelError where the file states none,
    or where its bytes have another.
    """
    place = _find_digits(content, marker)
    if place is None:
        raise ModelError(
            f"expected {what} that states its checksum, found none: it is damaged, or of an earlier version, or not "
            f"of this project; {remedy}"
        )
    stated, computed = content[place : place + len(UNSEALED)].decode(), _compute(content, place, behind)
    if not hmac.compare_digest(stated, computed):
        raise ModelError(
            f"expected {what} with the checksum {stated[:16]} that it states, got {computed[:16]}: it is damaged or "
            f"was changed; {remedy}"
        )
    return stated


def _find_digits(content: bytes, marker: bytes) -> int | None:
    """Return where the digits begin; None where the marker does not occur once, with digits behind it."""
    found = content.find(marker)
    if found < 0 or content.find(marker, found + 1) >= 0:
        return None
    place = found + len(marker)
    return place if _DIGITS.fullmatch(content, place, place + len(UNSEALED)) else None


def _compute(content: bytes, place: int, behind: bytes) -> str:
    view = memoryview(content)
    digest = hashlib.sha256(view[:place])
    digest.update(view[place + len(UNSEALED) :])
    digest.update(behind)
    return digest.hexdigest()
