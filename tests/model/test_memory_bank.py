"""A memory bank's map is the distance to the nearest patch that it holds."""

import torch

from efficientad.model.memory_bank import BANK_DIMENSIONS, MemoryBank, compute_nearest_map


def find_nearest(vectors, patches):
    """The mean squared difference to the nearest of patches (N, C), of vectors (n, C), one after the other."""
    return torch.stack([min(((vector - patch) ** 2).mean() for patch in patches) for vector in vectors])


def test_nearest_distance_equals_one_against_all():
    torch.manual_seed(0)
    features, patches = torch.randn(2, 5, 3, 4), torch.randn(7, 5)
    expected = find_nearest(features.permute(0, 2, 3, 1).reshape(-1, 5), patches).view(2, 3, 4)
    torch.testing.assert_close(compute_nearest_map(features, patches)[:, 0], expected)


def test_a_patch_itself_is_at_distance_zero_and_never_below():
    torch.manual_seed(0)
    patches = 100 + torch.randn(50, 6)
    found = compute_nearest_map(patches.T.reshape(1, 6, 5, 10), patches)
    assert float(found.min()) >= 0
    assert float(found.max()) < 0.01


def test_each_image_leaves_out_the_patches_that_are_excluded_for_it():
    torch.manual_seed(0)
    features, patches = torch.randn(2, 5, 3, 4), torch.randn(7, 5)
    excluded = torch.tensor([[True, False, True, True, False, False, True], [True] * 7])
    first, second = compute_nearest_map(features, patches, excluded)
    expected = find_nearest(features[0].permute(1, 2, 0).reshape(-1, 5), patches[~excluded[0]]).view(1, 3, 4)
    torch.testing.assert_close(first, expected)
    assert not torch.allclose(first, compute_nearest_map(features[:1], patches)[0])
    assert bool(second.isinf().all())


def test_features_are_projected_before_they_are_compared():
    torch.manual_seed(0)
    bank = MemoryBank(384, 9)
    for buffer in (bank.projection, bank.offset, bank.patches):
        buffer.copy_(torch.randn_like(buffer))
    features = torch.randn(2, 384, 3, 4)
    projected = torch.einsum("dc,bchw->bdhw", bank.projection, features) + bank.offset[:, None, None]
    distances = (projected.permute(0, 2, 3, 1)[..., None, :] - bank.patches).square().sum(-1) / BANK_DIMENSIONS
    torch.testing.assert_close(bank(features)[:, 0], distances.amin(-1), rtol=1e-4, atol=1e-3)


def test_there_are_no_more_components_than_features():
    assert MemoryBank(40, 3).patches.shape == (3, 40)
    assert MemoryBank(400, 3).patches.shape == (3, BANK_DIMENSIONS)
