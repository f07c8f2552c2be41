"""Figures exist, have their size and are the same bytes on every run, whatever matplotlib is set to."""

import matplotlib
import matplotlib.image
import numpy as np
import pytest

from efficientad.errors import MetricError
from efficientad.evaluation.image_level import compute_roc_curve
from efficientad.evaluation.pixel_level import compute_pro_curve
from efficientad.reporting.canvas import open_figure
from efficientad.reporting.figures import (
    smooth,
    write_loss_figure,
    write_pro_figure,
    write_roc_figure,
    write_score_histogram,
)

RNG = np.random.default_rng(0)
LABELS = np.arange(50) % 2
SCORES = RNG.normal(size=50) + LABELS
MASKS = RNG.random((2, 16, 16)) > 0.9
MAPS = (RNG.normal(size=MASKS.shape) + MASKS).astype(np.float32)
ROWS = [{"step": step, "hard_loss": 1 / (1 + step), "penalty_loss": 0.1} for step in range(100)]

FIGURES = {
    "roc": lambda path: write_roc_figure(path, compute_roc_curve(SCORES, LABELS), 0.75),
    "pro": lambda path: write_pro_figure(path, compute_pro_curve(MAPS, MASKS), 0.5, 0.3),
    "pro to the end": lambda path: write_pro_figure(path, compute_pro_curve(MAPS, MASKS), 0.5, 1.0),
    "loss": lambda path: write_loss_figure(path, ROWS),
    "one loss value": lambda path: write_loss_figure(path, ROWS[:1]),
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


def test_losses_that_a_log_axis_cannot_show_are_left_out(tmp_path):
    path, same = tmp_path / "loss.png", tmp_path / "same.png"
    extra = [{"step": 100, "hard_loss": 0.0}, {"step": 101, "hard_loss": float("nan"), "zero_loss": 0.0}]
    write_loss_figure(path, ROWS + extra)
    write_loss_figure(same, ROWS)
    assert path.read_bytes() == same.read_bytes()


@pytest.mark.parametrize("rows", [[], [{"step": 1}], [{"step": 1, "hard_loss": 0.0}]])
def test_no_loss_is_an_error(tmp_path, rows):
    with pytest.raises(MetricError, match="positive losses"):
        write_loss_figure(tmp_path / "loss.png", rows)


def test_no_score_is_an_error(tmp_path):
    with pytest.raises(MetricError, match="one score or more"):
        write_score_histogram(tmp_path / "histogram.png", np.array([]), np.array([]), 0.5)


def test_an_error_while_drawing_leaves_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), open_figure(tmp_path / "figure.png"):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("window", [1, 2, 5, 99])
def test_smooth_against_plain_means(window):
    values = RNG.random(20)
    before, after = (window - 1) // 2, window // 2
    expected = [values[max(0, at - before) : at + after + 1].mean() for at in range(20)]
    assert smooth(values, window) == pytest.approx(expected)
