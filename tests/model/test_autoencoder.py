import cv2
import numpy as np
import pytest
import torch

from efficientad.model.autoencoder import Autoencoder, drop_at_random
from efficientad.model.resizing import view_whole


def test_reconstructs_teacher_features_of_any_map_size():
    autoencoder = Autoencoder().eval()
    assert autoencoder(torch.rand(2, 3, 256, 256), (56, 56)).shape == (2, 384, 56, 56)
    assert autoencoder(torch.rand(1, 3, 384, 320), (88, 72)).shape == (1, 384, 88, 72)


def test_parameter_count_is_that_of_table_8():
    encoder = 32 * 49 + 32 * 513 + 64 * 513 + 2 * 64 * 1025 + 64 * (64 * 64 + 1)
    decoder = 6 * 64 * (64 * 16 + 1) + 64 * (64 * 9 + 1) + 384 * (64 * 9 + 1)
    assert sum(p.numel() for p in Autoencoder().parameters()) == encoder + decoder


@pytest.mark.parametrize("side", [128, 256, 512])
def test_bottleneck_is_one_cell_at_every_image_size(side):
    autoencoder, seen = Autoencoder().eval(), []
    autoencoder.encoder.register_forward_hook(lambda *args: seen.append(args[2].shape))
    autoencoder(torch.rand(1, 3, side, side), (56, 56))
    assert seen == [(1, 64, 1, 1)]


@pytest.mark.parametrize("size", [(512, 768), (300, 1000), (256, 260)])
def test_a_larger_image_is_seen_by_the_mean_over_each_area(size):
    """OpenCV's INTER_AREA, which shrinks alike, in place of our matrices."""
    image = np.random.default_rng(0).random((*size, 3), dtype=np.float32)
    found = view_whole(torch.from_numpy(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA), atol=1e-5)


def test_dropout_acts_where_it_is_asked_for_and_repeats_with_its_seed():
    autoencoder, image = Autoencoder(), torch.rand(1, 3, 256, 256)
    with torch.no_grad():
        plain = autoencoder(image, (56, 56))
        assert torch.equal(autoencoder(image, (56, 56)), plain)
        first, again, other = (autoencoder(image, (56, 56), [np.random.default_rng(seed)]) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, plain)


def test_dropout_zeroes_a_fifth_and_keeps_the_mean():
    ones = torch.ones(2, 64, 50, 50)
    dropped = drop_at_random(ones, [np.random.default_rng(seed) for seed in (0, 1)])
    assert float((dropped == 0).float().mean()) == pytest.approx(0.2, abs=0.005)
    assert torch.equal(dropped[dropped > 0].unique(), torch.tensor([1 / (1 - 0.2)]))
    assert float(dropped.mean()) == pytest.approx(1, abs=0.01)
    assert not torch.equal(dropped[0], dropped[1])
    alone = drop_at_random(ones[1:], [np.random.default_rng(1)])
    assert torch.equal(alone[0], dropped[1])
