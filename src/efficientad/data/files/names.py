"""Names of files that are made from an image's name. The station's program makes the same: cpp/src/file_name.cpp."""

import hashlib
import os
import re

from efficientad.errors import DataError

MOST_BYTES = 240  # of a name that is made: file systems take 255, and a temporary name is some bytes longer
_SHORTENED = re.compile(r"~[0-9a-f]{16}$")


def name_product(image: str, suffix: str) -> str:
    """Return the name of a file that is made from an image: the image's and a suffix, in the same folders.

    image: posix style. A last part that would be longer than `MOST_BYTES` is cut, and a hash of it takes the end's
    place. Different images keep different names: a name that ends as a cut one does is given its hash as well.

    >>> name_product("line 1/part.jpg", ".png")
    'line 1/part.jpg.png'
    >>> name_product("x" * 255, ".png")[-30:]
    'xxxxxxxxx~d22609da3ae3956c.png'
    """
    folders, slash, last = image.rpartition("/")
    payload = os.fsencode(last)
    if len(payload) + len(suffix) <= MOST_BYTES and not _SHORTENED.search(last):
        return image + suffix
    ending = f"~{hashlib.sha256(payload).hexdigest()[:16]}{suffix}"
    room = MOST_BYTES - len(ending)
    if len(payload) > room:  # no character is cut in two
        while payload[room] & 0xC0 == 0x80:
            room -= 1
    return folders + slash + os.fsdecode(payload[:room]) + ending


def check_encoding(name: str) -> None:
    """Raise DataError for a file name that is not UTF-8, as manifests are."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(f"expected a file name in UTF-8, got {name}; rename it") from error
