"""Figures exist, have their size and are the same bytes on every run, whatever matplotlib is set to."""

import matplotlib
import matplotlib.image
import numpy as np
import pytest

from efficientad.errors import MetricError
from efficientad.evaluation.image_level import compute_roc_curve
from efficientad.evaluation.pixel_level import compute_pro_curve
from efficientad.reporting.canvas import open_figure
from efficientad.reporting.figures import write_pro_figure, write_roc_figure, write_score_histogram

RNG = np.random.default_rng(0)
LABELS = np.arange(50) % 2
SCORES = RNG.normal(size=50) + LABELS
MASKS = RNG.random((2, 16, 16)) > 0.9
MAPS = (RNG.normal(size=MASKS.shape) + MASKS).astype(np.float32)

FIGURES = {
    "roc": lambda path: write_roc_figure(path, compute_roc_curve(SCORES, LABELS), 0.75),
    "pro": lambda path: write_pro_figure(path, compute_pro_curve(MAPS, MASKS), 0.5, 0.3),
    "pro to the end": lambda path: write_pro_figure(path, compute_pro_curve(MAPS, MASKS), 0.5, 1.0),
    "histogram": lambda path: write_score_histogram(path, SCORES, LABELS, 0.5),
    "only normal": lambda path: write_score_histogram(path, SCORES, np.zeros(50, int), 9.0),
    "one score": lambda path: write_score_histogram(path, np.array([0.5]), np.array([1]), 0.5),
}


@pytest.mark.parametrize("name", FIGURES)
def test_size_and_bytes(tmp_path, name):
    first, second = tmp_path / "new folder" / "first.png", tmp_path / "second.png"
    FIGURES[name](first)
    with matplotlib.rc_context({"font.size": 30, "savefig.dpi": 33, "savefig.bbox": "tight"}):
        FIGURES[name](second)
    assert first.read_bytes() == second.read_bytes()
    square = name in ("roc", "pro", "pro to the end")
    assert matplotlib.image.imread(first).shape[:2] == ((560, 560) if square else (480, 720))


def test_settings_are_left_as_they_were(tmp_path):
    before = dict(matplotlib.rcParams)
    FIGURES["roc"](tmp_path / "roc.png")
    assert dict(matplotlib.rcParams) == before


def test_no_score_is_an_error(tmp_path):
    with pytest.raises(MetricError, match="one score or more"):
        write_score_histogram(tmp_path / "histogram.png", np.array([]), np.array([]), 0.5)


def test_an_error_while_drawing_leaves_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), open_figure(tmp_path / "figure.png"):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())
