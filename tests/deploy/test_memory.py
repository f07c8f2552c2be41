"""What `predict` takes for a camera's image of 20 MP."""

import sys

import pytest
from peak_memory import draw_large, measure_peak

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory in another way"),
]


def test_heat_maps_take_little_more_memory_than_verdicts(models, tmp_path):
    """1.6 GB against 0.45 when it was drawn in floats of the whole image."""
    image = draw_large(tmp_path / "images/large.jpg")
    command = [sys.executable, "-m", "efficientad.cli", "predict", image, "--model", models, "--restart", "--output"]
    without = measure_peak(*command, "verdicts", cwd=tmp_path)
    assert measure_peak(*command, "drawn", "--heat-maps", cwd=tmp_path) <= 1.3 * without
    assert (tmp_path / "drawn/large.jpg.png").is_file()
