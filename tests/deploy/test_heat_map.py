"""Heat maps over images."""

import numpy as np
import pytest

from efficientad.data.images.drawing import colour_map
from efficientad.deploy.heat_map import HeatScale, draw_heat_map, fit_heat_map, fit_heat_scale, overlay_heat_map
from efficientad.errors import MetricError

IMAGE = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
MAP = np.array([[-5.0, 0.0, 1.0, 2.0], [3.0, 4.0, 5.0, 99.0]], dtype=np.float32)


def test_opacity_from_the_image_alone_to_the_map_alone():
    assert np.array_equal(overlay_heat_map(IMAGE, MAP, HeatScale(0, 4), opacity=0), IMAGE)
    unit = np.array([[0, 0, 0.25, 0.5], [0.75, 1, 1, 1]], dtype=np.float32)
    assert np.array_equal(overlay_heat_map(IMAGE, MAP, HeatScale(0, 4), opacity=1), colour_map(unit))


def test_a_white_line_runs_around_what_lies_above_the_threshold():
    image, anomaly_map = np.full((64, 80, 3), 100, np.uint8), np.zeros((64, 80), np.float32)
    anomaly_map[20:40, 30:50] = 1
    white = (draw_heat_map(image, anomaly_map, 0.5) == 255).all(axis=-1)
    border = np.zeros((64, 80), bool)
    border[20:40, 30:50] = True
    border[21:39, 31:49] = False
    np.testing.assert_array_equal(white, border)
    assert not (draw_heat_map(image, anomaly_map, 1.5) == 255).all(axis=-1).any()


def test_the_white_line_runs_at_half_of_a_peaks_height():
    """A pyramid of height 8 that falls by 1 a pixel: 4 is reached 4 pixels from its middle, the threshold 7 from it."""
    steps = np.abs(np.arange(21, dtype=np.float32) - 10)
    distances = np.maximum(steps[:, None], steps)
    drawn = draw_heat_map(np.zeros((21, 21, 3), np.uint8), 8 - distances, threshold=0.5)
    assert np.array_equal((drawn == 255).all(axis=-1), distances == 4)


def test_half_opacity_is_the_mean():
    blend = overlay_heat_map(IMAGE, MAP, HeatScale(0, 4))
    heat = overlay_heat_map(IMAGE, MAP, HeatScale(0, 4), opacity=1)
    assert blend.dtype == np.uint8
    assert blend.shape == IMAGE.shape
    assert np.abs(blend - (IMAGE.astype(float) + heat) / 2).max() <= 0.5


@pytest.mark.parametrize(
    ("image", "low", "high", "opacity", "message"),
    [
        (IMAGE[:1], 0, 1, 0.5, "same size"),
        (IMAGE, 1, 1, 0.5, "low < high"),
        (IMAGE, 0, float("nan"), 0.5, "low < high"),
        (IMAGE, 0, 1, 1.5, "opacity"),
    ],
)
def test_what_cannot_be_drawn_is_an_error(image, low, high, opacity, message):
    with pytest.raises(MetricError, match=message):
        overlay_heat_map(image, MAP, HeatScale(low, high), opacity)


def test_a_heat_map_of_another_size_than_the_image_is_refused():
    heat_map = fit_heat_map(np.zeros((4, 4), np.float32), 0.5, (8, 8))
    with pytest.raises(MetricError, match=r"size \(8, 8\), got \(9, 8\)"):
        heat_map.lay_over(np.zeros((9, 8, 3), np.uint8))


def test_heat_scale():
    maps = np.array([-4.0, 3.0], np.float32)
    assert vars(fit_heat_scale(0.4, maps)) == {"low": 0.0, "high": 0.8}
    assert vars(fit_heat_scale(-0.4, maps)) == {"low": -4.0, "high": 3.0}
    assert vars(fit_heat_scale(0.0, maps[:1])) == {"low": -4.0, "high": -3.0}
