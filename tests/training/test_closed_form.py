import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from efficientad.errors import ModelError
from efficientad.training.closed_form import list_patches, measure_moments, multiply_matrices, solve_convolution

RIDGE = 1e-9


def draw(seed, *shape):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape)).float()


def test_patches_are_what_the_convolution_multiplies():
    convolution, hidden = nn.Conv2d(3, 5, 4), draw(0, 2, 3, 11, 11)
    weights = torch.cat([convolution.weight.flatten(1), convolution.bias[:, None]], dim=1)
    outputs = (list_patches(hidden, 4) @ weights.T).view(2, 4, 4, 5).permute(0, 3, 1, 2)
    torch.testing.assert_close(outputs, convolution(hidden)[:, :, ::2, ::2])


def test_multiply_matrices_is_a_matrix_product():
    left, right = draw(1, 7, 30), draw(2, 30, 4)
    torch.testing.assert_close(multiply_matrices(left, right), left @ right)


def test_a_convolution_is_found_from_its_outputs():
    true, found = nn.Conv2d(3, 5, 4), nn.Conv2d(3, 5, 4)
    pairs = [(h, true(h).detach()) for h in (draw(seed, 2, 3, 21, 21) for seed in range(3))]
    solve_convolution(found, measure_moments(found, pairs), None, 0.0, RIDGE)
    torch.testing.assert_close(found.weight, true.weight, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(found.bias, true.bias, atol=1e-4, rtol=1e-3)


def test_the_solution_is_where_the_gradient_of_the_losses_vanishes():
    """Independent of the moments: the sum of squares written out, its gradient by torch."""
    convolution, silence, ridge = nn.Conv2d(3, 5, 2), 0.3, 0.01
    normal, penalty, target = draw(0, 4, 3, 9, 9), draw(1, 4, 3, 9, 9) + 0.5, draw(2, 4, 5, 8, 8)
    wanted = measure_moments(convolution, [(normal[:2], target[:2]), (normal[2:], target[2:])])
    silent = measure_moments(convolution, [(penalty, None)])
    assert silent.targets.shape == (0, 13)
    solve_convolution(convolution, wanted, silent.inputs, silence, ridge)
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
    wanted, silent = measure_moments(convolution, [(normal, target)]), measure_moments(convolution, [(penalty, None)])
    energies = []
    for silence in (0.0, 1.0, 100.0):
        solve_convolution(convolution, wanted, silent.inputs, silence, RIDGE)
        energies.append(convolution(penalty).square().mean().item())
    assert energies[0] > 2 * energies[1] > 2 * energies[2]


def test_errors():
    convolution = nn.Conv2d(3, 5, 2)
    with pytest.raises(ModelError, match="at least one image"):
        measure_moments(convolution, [])
    broken = measure_moments(convolution, [(draw(0, 1, 3, 5, 5) * torch.nan, draw(0, 1, 5, 4, 4))])
    with pytest.raises(ModelError, match="singular"):
        solve_convolution(convolution, broken, None, 0.0, RIDGE)
