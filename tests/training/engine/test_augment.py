import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance

from efficientad.training.engine.augment import JITTERS, convert_to_grey, jitter_colour

IMAGE = torch.from_numpy(np.random.default_rng(0).integers(60, 190, (8, 9, 3), dtype=np.uint8))
FLOAT = IMAGE.permute(2, 0, 1)[None].float() / 255
ENHANCERS = {
    "brightness": ImageEnhance.Brightness,
    "contrast": ImageEnhance.Contrast,
    "saturation": ImageEnhance.Color,
}


@pytest.mark.parametrize("kind", JITTERS)
@pytest.mark.parametrize("factor", [0.8, 1.0, 1.2])
def test_jitter_is_pillows_to_within_its_rounding(kind, factor):
    ours = jitter_colour(FLOAT, kind, factor)[0].permute(1, 2, 0) * 255
    pillows = np.asarray(ENHANCERS[kind](Image.fromarray(IMAGE.numpy())).enhance(factor), dtype=np.float32)
    assert np.abs(ours.numpy() - pillows).max() < 1.6


def test_contrast_is_scaled_about_the_mean_luma_of_each_image():
    """Of colours whose channels lie far apart, and of two images that differ."""
    colours = torch.tensor([[0.2, 0.4, 0.9], [0.8, 0.3, 0.1]])
    images = colours.view(2, 3, 1, 1).expand(2, 3, 4, 5)
    luma = (colours * torch.tensor([0.299, 0.587, 0.114])).sum(dim=1).view(2, 1, 1, 1)
    torch.testing.assert_close(jitter_colour(images, "contrast", 1.1), (images + 0.1 * (images - luma)).clamp(0, 1))


def test_jitter_stays_in_range():
    for kind in JITTERS:
        jittered = jitter_colour(torch.rand(2, 3, 4, 4), kind, 1.2)
        assert 0 <= float(jittered.min()) <= float(jittered.max()) <= 1


def test_grey_has_equal_channels_and_keeps_grey():
    grey = convert_to_grey(FLOAT)
    assert torch.equal(grey[:, 0], grey[:, 2])
    assert torch.allclose(convert_to_grey(grey), grey, atol=1e-6)
