"""One way to draw: matplotlib's defaults, the Agg backend, no global state, the same bytes on every run."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from efficientad.pipeline.writing import write_bytes

PIXELS_PER_INCH = 100

# Okabe and Ito's palette: told apart by colour-blind readers as well.
NORMAL_COLOUR = "#0072B2"
ANOMALOUS_COLOUR = "#D55E00"

_STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same glyphs on every machine
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "efficientad",
    "legend.edgecolor": "none",
    "legend.fancybox": False,
    "legend.framealpha": 0.9,
}


@contextmanager
def open_figure(path: Path, width_px: int = 720, height_px: int = 480, layout: bool = True) -> Iterator[Figure]:
    """Yield an empty figure of width_px x height_px; at the end of the block write it to `path`, a .png or an .svg.

    Missing folders are made. Text of an SVG stays text. With `layout` the axes are arranged by matplotlib. The
    file holds neither date nor version, so equal drawings have equal bytes. After an error there is no file.
    """
    with style.context(_STYLE, after_reset=True):
        figure = Figure(
            figsize=(width_px / PIXELS_PER_INCH, height_px / PIXELS_PER_INCH),
            dpi=PIXELS_PER_INCH,
            layout="constrained" if layout else None,
        )
        yield figure
        metadata = {"Date": None, "Creator": None} if path.suffix == ".svg" else {"Software": None}
        drawn = io.BytesIO()
        figure.savefig(drawn, format=path.suffix[1:], dpi=PIXELS_PER_INCH, metadata=metadata)
        write_bytes(path, drawn.getvalue())


def label_axes(axes: Axes, title: str, x: str, y: str) -> None:
    """Set the title, flush left, and both axis labels."""
    axes.set_title(title, loc="left")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
