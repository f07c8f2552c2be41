import pytest
import torch

from efficientad.errors import ModelError
from efficientad.training.engine.statistics import ChannelStatistics


def test_batches_of_any_size_give_the_moments_of_all():
    features = torch.randn(10, 5, 6, 7) * torch.arange(1, 6).view(1, 5, 1, 1)
    statistics = ChannelStatistics()
    for batch in features.split([1, 3, 2, 4]):
        statistics.update(batch)
    mean, std = statistics.finish()
    assert mean.shape == std.shape == (1, 5, 1, 1)
    assert torch.allclose(mean, features.double().mean(dim=(0, 2, 3), keepdim=True).float())
    assert torch.allclose(std, features.double().std(dim=(0, 2, 3), correction=0, keepdim=True).float())


def test_a_large_mean_costs_no_digits():
    """In float32, E[x²] - E[x]² of these is 0 or negative."""
    features = 1e4 + 1e-2 * torch.randn(4, 1, 50, 50, dtype=torch.float64)
    statistics = ChannelStatistics()
    for image in features:
        statistics.update(image[None])
    assert float(statistics.finish()[1]) == pytest.approx(float(features.std(correction=0)), rel=1e-6)


def test_dead_channels_and_no_images_are_refused():
    with pytest.raises(ModelError, match="got none"):
        ChannelStatistics().finish()
    statistics = ChannelStatistics()
    statistics.update(torch.stack([torch.zeros(1, 4, 4), torch.rand(1, 4, 4)], dim=1))
    with pytest.raises(ModelError, match="got 1 constant"):
        statistics.finish()
