"""The four losses of EfficientAD (arXiv 2303.14535, section 3 and Algorithm 1), as pure functions.

All take features in float32: squared differences of bfloat16 features lose the small ones.
"""

import math

import torch
from torch import Tensor


def compute_hard_feature_loss(teacher: Tensor, student: Tensor, quantile: float) -> Tensor:
    """Return the mean of each image's largest squared differences, averaged over the images.

    `teacher` (normalised) and `student` are (B, C, h, w); of each image those differences count that reach
    its own `quantile` (0.999 in the paper), so that a batch of images equals the mean of batches of one.
    The quantile is exact: the k-th value of all of them, ties included, never a subsample.
    """
    squared = (teacher - student).square().flatten(1)  # (B, C * h * w) = (B, 1204224) at 256 x 256
    hard = squared.detach() >= find_quantile(squared.detach(), quantile)
    per_image = torch.where(hard, squared, 0).sum(dim=1) / hard.sum(dim=1)
    return per_image.mean()


def find_quantile(values: Tensor, quantile: float) -> Tensor:
    """Return, for each row of (B, N), the smallest value at or above its `quantile` (B, 1).

    Selecting `values >= result` picks exactly what selecting against the linearly interpolated quantile
    would: no value lies between the two.

    >>> find_quantile(torch.tensor([[3.0, 1.0, 2.0, 4.0, 0.0]]), 0.5)
    tensor([[2.]])
    """
    n = values.shape[1]
    rank = math.ceil((n - 1) * quantile)  # 0-based, from below
    largest = torch.topk(values, n - rank, dim=1, sorted=False).values
    return largest.amin(dim=1, keepdim=True)


def compute_penalty_loss(student: Tensor) -> Tensor:
    """Return the mean square of the student's features (B, C, h, w) on a pretraining image.

    It keeps the student from imitating the teacher outside of the normal images.
    """
    return student.square().mean()


def compute_feature_loss(target: Tensor, prediction: Tensor) -> Tensor:
    """Return the mean squared difference of two feature maps (B, C, h, w): L_AE and L_STAE."""
    return (target - prediction).square().mean()
