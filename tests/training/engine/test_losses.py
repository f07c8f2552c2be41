import numpy as np
import pytest
import torch

from efficientad.training.engine.losses import (
    compute_feature_loss,
    compute_hard_feature_loss,
    compute_penalty_loss,
    select_hard,
)


def slow_hard_loss(teacher, student, quantile):
    """The paper's words, image by image: the mean of the differences at or above their quantile."""
    losses = []
    for t, s in zip(teacher.double().numpy(), student.double().numpy(), strict=True):
        squared = (t - s) ** 2
        losses.append(squared[squared >= np.quantile(squared, quantile)].mean())
    return float(np.mean(losses))


@pytest.mark.parametrize("quantile", [0.0, 0.5, 0.9, 0.999, 0.9999])
@pytest.mark.parametrize("batch", [1, 3])
def test_hard_loss_is_the_papers(quantile, batch):
    generator = torch.Generator().manual_seed(batch)
    teacher, student = torch.randn(2, batch, 7, 11, 13, generator=generator)
    loss = compute_hard_feature_loss(teacher, student, quantile)
    assert float(loss) == pytest.approx(slow_hard_loss(teacher, student, quantile), rel=1e-5)


def test_hard_loss_by_hand():
    teacher = torch.zeros(1, 1, 1, 5)
    student = torch.tensor([[[[0.0, 1.0, 2.0, 3.0, 4.0]]]])  # squares 0 1 4 9 16; median 4
    assert float(compute_hard_feature_loss(teacher, student, 0.5)) == pytest.approx((4 + 9 + 16) / 3)


def test_a_batch_is_the_mean_of_its_images_not_of_its_pool():
    teacher = torch.zeros(2, 1, 1, 2)
    student = torch.tensor([[[[0.0, 1.0]]], [[[0.0, 10.0]]]])
    assert float(compute_hard_feature_loss(teacher, student, 0.9)) == pytest.approx((1 + 100) / 2)


def test_ties_at_the_quantile_all_count():
    student = torch.tensor([[[[1.0, 1.0, 1.0, 3.0]]]])
    loss = compute_hard_feature_loss(torch.zeros(1, 1, 1, 4), student, 0.3)
    assert float(loss) == pytest.approx((1 + 1 + 1 + 9) / 4)


def test_only_hard_values_get_a_gradient():
    student = torch.tensor([[[[0.0, 1.0, 2.0, 3.0]]]], requires_grad=True)
    compute_hard_feature_loss(torch.zeros(1, 1, 1, 4), student, 0.7).backward()
    assert student.grad.flatten().tolist() == [0, 0, 0, 6]


def test_quantile_is_exact_beyond_two_to_the_24_values():
    values = torch.arange(2**24 + 11, dtype=torch.float64)  # torch.quantile refuses these
    hard, counts = select_hard(values.view(1, 1, 1, -1), 0.999)
    assert int(hard[3].min()) == np.ceil((2**24 + 10) * 0.999)
    assert int(counts) == len(hard[3]) == 2**24 + 11 - np.ceil((2**24 + 10) * 0.999)


def test_penalty_and_feature_loss_are_means_of_squares():
    a, b = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 2.0]])
    assert float(compute_penalty_loss(a)) == pytest.approx(2.5)
    assert float(compute_feature_loss(a, b)) == pytest.approx(2.0)


def test_penalty_counts_the_chosen_cells_of_each_image_alike():
    torch.manual_seed(0)
    student = torch.randn(2, 3, 4, 4)
    cells = torch.zeros(2, 4, 4)
    cells[0, :2] = 1
    cells[1, 0, :3] = 1
    expected = ((student[0, :, :2] ** 2).mean() + (student[1, :, 0, :3] ** 2).mean()) / 2
    torch.testing.assert_close(compute_penalty_loss(student, cells), expected)
    torch.testing.assert_close(compute_penalty_loss(student, torch.ones(2, 4, 4)), compute_penalty_loss(student))


def test_fewer_cells_than_an_eighth_weigh_as_an_eighth():
    student, cells = torch.ones(1, 3, 4, 4), torch.zeros(1, 4, 4)
    assert float(compute_penalty_loss(student, cells)) == 0.0
    cells[0, 0, 0] = 1
    assert float(compute_penalty_loss(student, cells)) == pytest.approx(0.5)
