"""What `predict` takes for a camera's image of 20 MP."""

import os
import sys

import pytest
from peak_memory import draw_large, measure_peak

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory in another way"),
]


BYTES = 6.5  # a pixel: decoding takes six, for OpenCV hands Python a copy


def test_heat_maps_take_little_more_memory_than_verdicts(models, tmp_path):
    """Of a model so small that the image counts most; drawn in floats of the whole image it was 50 bytes a pixel.

    Without heat maps the image is gone when the first inference takes its memory; with them it is read again then.
    Of a model that takes 400 MB or more it is less than three tenths.
    """
    image = draw_large(tmp_path / "images/large.jpg")
    command = [sys.executable, "-m", "efficientad.cli", "predict", image, "--model", models, "--restart", "--output"]
    without = measure_peak(*command, "verdicts", cwd=tmp_path)
    drawn = measure_peak(*command, "drawn", "--heat-maps", cwd=tmp_path)
    assert drawn - without <= BYTES * 20e6 / 2**20, (drawn, without)
    assert (tmp_path / "drawn/large.jpg.png").is_file()


def test_heat_maps_of_several_images_take_no_more_than_their_budget_of_pixels(models, tmp_path):
    """Threads work on several images at a time; the pixels that they hold in all are 48 million at most."""
    draw_large(tmp_path / "images/0.jpg")
    for index in range(1, 4):
        os.link(tmp_path / "images/0.jpg", tmp_path / f"images/{index}.jpg")
    command = [sys.executable, "-m", "efficientad.cli", "predict", "images", "--model", models, "--restart", "--output"]
    without = measure_peak(*command, "verdicts", cwd=tmp_path)
    drawn = measure_peak(*command, "drawn", "--heat-maps", cwd=tmp_path)
    assert drawn - without <= BYTES * 48e6 / 2**20, (without, drawn)
