"""A memory bank's map is the distance to the nearest patch that it holds."""

import pytest
import torch

from efficientad.model.memory_bank import BANK_DIMENSIONS, MemoryBank, compute_nearest_map, equalise_exposure


def test_nearest_distance_equals_one_against_all():
    torch.manual_seed(0)
    features, patches = torch.randn(2, 5, 3, 4), torch.randn(7, 5)
    expected = (features.permute(0, 2, 3, 1)[..., None, :] - patches).square().mean(-1).amin(-1)
    torch.testing.assert_close(compute_nearest_map(features, patches)[:, 0], expected)


def test_features_are_projected_before_they_are_compared():
    torch.manual_seed(0)
    bank = MemoryBank(2, 9)
    for buffer in (bank.projection, bank.offset, bank.patches):
        buffer.copy_(torch.randn_like(buffer))
    features = torch.randn(2, 384, 3, 4)
    projected = torch.einsum("dc,bchw->bdhw", bank.projection, features) + bank.offset[:, None, None]
    distances = (projected.permute(0, 2, 3, 1)[..., None, :] - bank.patches).square().sum(-1) / BANK_DIMENSIONS
    torch.testing.assert_close(bank(features)[:, 0], distances.amin(-1), rtol=1e-4, atol=1e-3)


def test_a_view_is_shrunk_by_the_mean_over_areas_and_then_exposed():
    view = torch.arange(16.0).view(1, 1, 4, 4).repeat(1, 3, 1, 1) / 16
    expected = equalise_exposure(torch.tensor([[2.5, 4.5], [10.5, 12.5]]).repeat(1, 3, 1, 1) / 16)
    torch.testing.assert_close(MemoryBank(2, 1).shrink(view), expected)


@pytest.mark.parametrize("gain", [0.5, 0.8, 1.3])
def test_a_longer_exposure_changes_little_and_the_pattern_stays(gain):
    torch.manual_seed(0)
    image = torch.rand(2, 3, 8, 8) * 0.7
    image[1] /= 3
    same, brighter = equalise_exposure(image), equalise_exposure(image * gain)
    torch.testing.assert_close(brighter, same, rtol=0.15, atol=0)
    assert (same.mean((1, 2, 3)) - 0.45).abs().max() < 0.1
    torch.testing.assert_close(same / same.mean((1, 2, 3), keepdim=True), image / image.mean((1, 2, 3), keepdim=True))


def test_a_black_image_stays_black():
    assert not equalise_exposure(torch.zeros(1, 3, 4, 4)).any()
