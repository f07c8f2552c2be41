import pytest
import torch

from efficientad.training.engine.muon import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(6, 20), (20, 6), (1, 9), (8, 8)])
def test_orthogonalised_matrix_has_the_same_directions_at_one_pace(shape):
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    aligned = left.T @ orthogonalise(matrix) @ right.T  # the diagonal holds the new singular values
    assert torch.allclose(aligned, torch.diag(aligned.diagonal()), atol=1e-4)
    assert 0.5 < float(aligned.diagonal().min()) <= float(aligned.diagonal().max()) < 1.3


def test_bfloat16_gives_the_same_directions_to_its_precision():
    torch.manual_seed(0)
    matrix = torch.randn(6, 20)
    rounded = orthogonalise(matrix, torch.bfloat16)
    assert rounded.dtype == torch.float32
    assert float((rounded - orthogonalise(matrix)).norm() / rounded.norm()) < 0.1


def test_a_step_has_the_rate_as_its_spectral_norm():
    layer = torch.nn.Conv2d(3, 4, 3)
    before = layer.weight.detach().clone()
    layer(torch.rand(1, 3, 8, 8)).square().sum().backward()
    Muon(layer.parameters(), lr=0.1).step()
    moved = (layer.weight.detach() - before).flatten(1)
    assert 0.06 < float(torch.linalg.matrix_norm(moved, 2)) < 0.13


def test_steps_descend():
    torch.manual_seed(0)
    layer, target = torch.nn.Linear(5, 3), torch.randn(3, 5)
    optimiser, losses = Muon(layer.parameters(), lr=0.05), []
    for _ in range(60):
        loss = (layer.weight - target).square().mean() + layer.bias.square().mean()
        losses.append(float(loss.detach()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < 0.05 * losses[0]


def test_rows_of_a_group_are_matrices_of_their_own():
    """One convolution of two networks side by side moves as two convolutions would."""
    torch.manual_seed(0)
    weights = torch.randn(6, 9)
    whole = torch.nn.Parameter(weights.clone())
    parts = [torch.nn.Parameter(part.clone()) for part in weights.split(3)]
    target = torch.randn(6, 9)
    (whole - target).square().sum().backward()
    for part, part_target in zip(parts, target.split(3), strict=True):
        (part - part_target).square().sum().backward()
    Muon([{"params": [whole], "rows": 3}], lr=0.1).step()
    Muon(parts, lr=0.1).step()
    assert torch.equal(whole.detach(), torch.cat([part.detach() for part in parts]))
