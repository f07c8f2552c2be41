"""Text for a terminal: a file name may hold any character, those that move a cursor or clear a screen among them."""


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


def write_lines(text: object) -> str:
    r"""Return a text of several lines with each of them printable.

    >>> write_lines("expected masks, got\n  a\x1b[2J.png")
    'expected masks, got\n  a\\x1b[2J.png'
    """
    return "\n".join(make_printable(line) for line in str(text).splitlines())
