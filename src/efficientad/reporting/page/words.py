"""Numbers in words, alike on the whole page."""

MISSING = "–"


def format_percent(share: float | None) -> str:
    r"""Return a share in [0, 1] in percent with three significant digits, on one line; a dash for None.

    >>> [format_percent(share) for share in (0.04, 0.11739, 1.0, 0.0, None)]
    ['4\xa0%', '11.7\xa0%', '100\xa0%', '0\xa0%', '–']
    """
    return MISSING if share is None else f"{100 * share:.3g}\N{NO-BREAK SPACE}%"


def format_metric(value: float | None, digits: int = 4) -> str:
    """Return a metric in [0, 1] with a fixed number of decimals; a dash for None.

    >>> format_metric(0.98765), format_metric(None)
    ('0.9877', '–')
    """
    return MISSING if value is None else f"{value:.{digits}f}"


def format_number(value: float | None) -> str:
    """Return a score or a difference with three significant digits; a dash for None.

    >>> format_number(0.072377), format_number(2.1e-05)
    ('0.0724', '2.1e-05')
    """
    return MISSING if value is None else f"{value:.3g}"


def count_images(count: int) -> str:
    """Return a number of images.

    >>> count_images(1), count_images(2)
    ('1 image', '2 images')
    """
    return f"{count} image{'' if count == 1 else 's'}"
