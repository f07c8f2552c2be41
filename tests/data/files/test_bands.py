"""What is made of a camera's image band by band is what is made of it at once."""

import numpy as np
import pytest

from efficientad.data.files.images import encode_png, resize_bands, resize_map, spend_on_png


@pytest.mark.parametrize(
    ("small", "large"),
    [((64, 64), (700, 900)), ((64, 48), (30, 500)), ((7, 9), (7, 9)), ((64, 64), (30, 20)), ((1, 1), (300, 5))],
)
def test_bands_of_a_map_are_the_resized_map(small, large):
    anomaly_map = np.random.default_rng(0).random(small, dtype=np.float32)
    bands = [*resize_bands(anomaly_map, *large)]
    assert np.concatenate([np.arange(large[0])[band] for band, _ in bands]).tolist() == [*range(large[0])]
    together = np.concatenate([values for _, values in bands])
    assert together.dtype == np.float32
    assert np.abs(together - resize_map(anomaly_map, *large)).max() < 1e-6


def test_a_png_of_an_image_that_is_not_needed_any_more_is_the_same():
    image = np.random.default_rng(0).integers(0, 256, (300, 40, 3), dtype=np.uint8)
    assert encode_png(image) == spend_on_png(image.copy())
