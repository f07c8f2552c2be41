"""Procedural images have the statistics that their papers name."""

from itertools import pairwise

import numpy as np
import pytest

from efficientad.data.pretraining.procedural import (
    draw_dead_leaves,
    draw_procedural,
    draw_spectrum,
    draw_textured_leaves,
    draw_turbulence,
    make_leaves,
    make_spectral_plane,
)

DRAWINGS = [draw_procedural, draw_spectrum, draw_turbulence, draw_dead_leaves, draw_textured_leaves]


def _amplitude_slope(plane: np.ndarray) -> float:
    """Slope of log amplitude against log frequency, from rings between 4 and 100 cycles per image."""
    power = np.abs(np.fft.fft2((plane - plane.mean()) * np.hanning(512)[:, None] * np.hanning(512))) ** 2
    cycles = np.hypot(*np.meshgrid(np.fft.fftfreq(512) * 512, np.fft.fftfreq(512) * 512))
    edges = np.geomspace(4, 100, 12)
    rings = [power[(cycles >= low) & (cycles < high)].mean() for low, high in pairwise(edges)]
    return np.polyfit(np.log(np.sqrt(edges[1:] * edges[:-1])), 0.5 * np.log(rings), 1)[0]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_images_are_in_range_not_flat_and_repeat(draw):
    for seed in range(3):
        image = draw(np.random.default_rng(seed))
        assert image.shape == (512, 512, 3)
        assert image.min() >= 0
        assert image.max() <= 1
        assert image.std() > 0.02
        np.testing.assert_array_equal(image, draw(np.random.default_rng(seed)))
        assert (image != draw(np.random.default_rng(seed + 100))).mean() > 0.5


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_the_spectrum_falls_as_asked(exponent: float):
    slopes = [_amplitude_slope(make_spectral_plane(np.random.default_rng(s), exponent)) for s in range(3)]
    assert np.mean(slopes) == pytest.approx(-exponent, abs=0.08)


def test_a_coloured_image_keeps_the_slope_of_its_planes():
    image = draw_spectrum(np.random.default_rng(1), exponent=1.2)
    assert _amplitude_slope(image[..., 1]) == pytest.approx(-1.2, abs=0.15)


def test_channels_share_most_of_their_variance():
    image = draw_spectrum(np.random.default_rng(1), exponent=1.0)
    assert np.corrcoef(image[..., 0].ravel(), image[..., 1].ravel())[0, 1] > 0.25


def test_dead_leaves_have_the_spectrum_of_photographs():
    """Field 1987: amplitudes of natural images fall about as 1 / f; leaves do so (Lee et al. 2001)."""
    slopes = [_amplitude_slope(draw_dead_leaves(np.random.default_rng(s)).mean(axis=-1)) for s in range(4)]
    assert -1.7 < np.mean(slopes) < -0.8


def test_leaves_hide_one_another_and_come_in_all_sizes():
    labels, count = make_leaves(np.random.default_rng(0))
    areas = np.bincount(labels.ravel(), minlength=count)
    assert (areas == 0).any()  # some lie wholly under later ones or outside
    seen = areas[1:][areas[1:] > 0]
    assert (seen < 300).sum() > 5 * (seen > 3000).sum() > 0
    assert areas[0] < 0.2 * 512 * 512  # little of the bare ground is left
