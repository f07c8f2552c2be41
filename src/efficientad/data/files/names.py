"""Names of files that people read, and names of files that are made from them.

A name may hold any byte but zero and the slash: control characters that move a terminal's cursor, and bytes that are no
UTF-8. The station's program does both in the same way: cpp/src/text.cpp and file_name.cpp.
"""

import hashlib
import os
import re

MOST_BYTES = 240  # of a name that is made: file systems take 255, and a temporary name is some bytes longer
_SHORTENED = re.compile(r"~[0-9a-f]{16}$")


def make_printable(text: str) -> str:
    r"""Return a text whose control characters and bytes that are no UTF-8 are written out.

    >>> print(make_printable("Ö\n\udcff\x1b[2J"))
    Ö\n\udcff\x1b[2J
    """
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def write_line(text: object) -> str:
    r"""Return a text as one printable line: what people are told of an error.

    >>> write_line("expected a model:\n  got \x07")
    'expected a model: got \\x07'
    """
    return make_printable(" ".join(str(text).split()))


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
