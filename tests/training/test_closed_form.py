import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from efficientad.errors import ModelError
from efficientad.training.closed_form import (
    Sight,
    list_patches,
    measure_moments,
    multiply_matrices,
    solve_weights,
    write_weights,
)

RIDGE = 1e-9


def draw(seed, *shape):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape)).float()


def solve(convolution, moments, silent=None, silence=0.0, ridge=RIDGE):
    write_weights(convolution, slice(None), solve_weights(moments, silent, silence, ridge))


def test_patches_are_what_the_convolution_multiplies():
    convolution, hidden = nn.Conv2d(3, 5, 4), draw(0, 2, 3, 11, 11)
    weights = torch.cat([convolution.weight.flatten(1), convolution.bias[:, None]], dim=1)
    outputs = (list_patches(hidden, 4) @ weights.T).view(2, 4, 4, 5).permute(0, 3, 1, 2)
    torch.testing.assert_close(outputs, convolution(hidden)[:, :, ::2, ::2])


def test_multiply_matrices_is_a_matrix_product():
    left, right = draw(1, 7, 30), draw(2, 30, 4)
    torch.testing.assert_close(multiply_matrices(left, right), left @ right)
    with torch.autocast("cpu", torch.bfloat16):
        product = multiply_matrices(left, right)
    torch.testing.assert_close(product, left @ right)


def test_a_convolution_is_found_from_its_outputs():
    true, found = nn.Conv2d(3, 5, 4), nn.Conv2d(3, 5, 4)
    sights = [Sight(h, true(h).detach()) for h in (draw(seed, 2, 3, 21, 21) for seed in range(3))]
    solve(found, measure_moments(found, sights))
    torch.testing.assert_close(found.weight, true.weight, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(found.bias, true.bias, atol=1e-4, rtol=1e-3)


def test_the_solution_is_where_the_gradient_of_the_losses_vanishes():
    """Independent of the moments: the sum of squares written out, its gradient by torch."""
    convolution, silence, ridge = nn.Conv2d(3, 5, 2), 0.3, 0.01
    normal, penalty, target = draw(0, 4, 3, 9, 9), draw(1, 4, 3, 9, 9) + 0.5, draw(2, 4, 5, 8, 8)
    wanted = measure_moments(convolution, [Sight(normal[:2], target[:2]), Sight(normal[2:], target[2:])])
    silent = measure_moments(convolution, [Sight(penalty)])
    assert silent.targets.shape == (0, 13)
    solve(convolution, wanted, silent, silence, ridge)
    loss = (convolution(normal) - target)[:, :, ::2, ::2].square().sum(dim=1).mean()
    loss = loss + silence * convolution(penalty)[:, :, ::2, ::2].square().sum(dim=1).mean()
    patches = F.unfold(normal, 2, stride=2)
    scale = (patches.square().sum(dim=1).mean() + 1) / 13  # the mean eigenvalue, with the 1 of the bias
    loss = loss + ridge * scale * (convolution.weight.square().sum() + convolution.bias.square().sum())
    loss.backward()
    assert float(convolution.weight.grad.abs().max()) < 1e-5
    assert float(convolution.bias.grad.abs().max()) < 1e-5


def test_what_must_be_silent_is():
    convolution = nn.Conv2d(2, 4, 2)
    normal, penalty = draw(0, 4, 2, 9, 9) * torch.tensor([1.0, 0.01]).view(1, 2, 1, 1), draw(1, 4, 2, 9, 9)
    target = draw(2, 1, 4, 1, 1).expand(4, 4, 8, 8) + normal[:, :1, :8, :8]
    wanted = measure_moments(convolution, [Sight(normal, target)])
    silent = measure_moments(convolution, [Sight(penalty)])
    energies = []
    for silence in (0.0, 1.0, 100.0):
        solve(convolution, wanted, silent, silence)
        energies.append(convolution(penalty).square().mean().item())
    assert energies[0] > 2 * energies[1] > 2 * energies[2]


def test_errors():
    convolution = nn.Conv2d(3, 5, 2)
    with pytest.raises(ModelError, match="at least one image"):
        measure_moments(convolution, [])
    broken = measure_moments(convolution, [Sight(draw(0, 1, 3, 5, 5) * torch.nan, draw(0, 1, 5, 4, 4))])
    with pytest.raises(ModelError, match="singular"):
        solve(convolution, broken)


def test_a_place_with_a_weight_counts_as_if_it_were_seen_as_often():
    convolution, hidden, wanted = nn.Conv2d(3, 5, 2), draw(0, 1, 3, 9, 9), draw(1, 1, 5, 8, 8)
    twice = measure_moments(convolution, [Sight(hidden, wanted), Sight(hidden[..., :5], wanted[..., :4])])
    weight = torch.ones(1, 1, 8, 8)
    weight[..., :4] = 2
    weighted = measure_moments(convolution, [Sight(hidden, wanted, weight)])
    torch.testing.assert_close(weighted.inputs, twice.inputs)
    torch.testing.assert_close(weighted.targets, twice.targets)


def test_some_channels_are_written_and_the_others_stay():
    convolution = nn.Conv2d(3, 5, 2)
    before = convolution.weight.detach().clone()
    write_weights(convolution, slice(0, 2), torch.arange(26.0).view(2, 13))
    assert convolution.weight[1].flatten().tolist() == list(range(13, 25))
    assert convolution.bias[:2].tolist() == [12, 25]
    assert torch.equal(convolution.weight[2:], before[2:])
