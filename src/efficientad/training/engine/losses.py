"""The four losses of EfficientAD (arXiv 2303.14535, section 3 and Algorithm 1), as pure functions.

All take features in float32: squared differences of bfloat16 features lose the small ones.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_LEAST_SHARE = 1 / 8  # of a map's cells, that a penalty's mean is taken over


def compute_hard_feature_loss(teacher: Tensor, student: Tensor, quantile: float) -> Tensor:
    """Return the mean of each image's largest squared differences, averaged over the images.

    `teacher` (normalised) and `student` are (B, C, h, w); of each image those differences count that reach
    its own `quantile` (0.999 in the paper), so that a batch of images equals the mean of batches of one.
    The quantile is exact: the k-th value of all of them, ties included, never a subsample.
    """
    squared = (teacher - student).square()
    hard, counts = select_hard(squared.detach(), quantile)
    return (squared[hard] / (len(squared) * counts[hard[0]])).sum()


def select_hard(squared: Tensor, quantile: float) -> tuple[tuple[Tensor, ...], Tensor]:
    """Return the indices of the values of (B, C, h, w) at or above their image's quantile, and each image's count.

    Selecting from the smallest value at or above the quantile on picks exactly what selecting against the linearly
    interpolated quantile would: no value lies between the two.
    """
    flat = squared.flatten(1)
    largest = _find_largest(flat, quantile)
    limits = largest.values.amin(dim=1, keepdim=True)
    counts = (flat >= limits).sum(dim=1)
    if int(counts.sum()) > largest.indices.numel():  # ties at the quantile, of which the largest are a part only
        return torch.nonzero(squared >= limits.view(-1, 1, 1, 1), as_tuple=True), counts
    images = torch.arange(len(flat), device=flat.device)[:, None].expand_as(largest.indices).flatten()
    return (images, *torch.unravel_index(largest.indices.flatten(), squared.shape[1:])), counts


def _find_largest(values: Tensor, quantile: float) -> torch.return_types.topk:
    """Return the values of each row of (B, N) at or above its quantile, without further ties, and their places."""
    n = values.shape[1]
    rank = math.ceil((n - 1) * quantile)  # 0-based, from below
    return torch.topk(values, n - rank, dim=1, sorted=False)


def compute_penalty_loss(student: Tensor, cells: Tensor | None = None) -> Tensor:
    """Return the mean square of the student's features (B, C, h, w) on images that it must not know.

    It keeps the student from imitating the teacher outside of the normal images. With `cells` (B, h, w), 1 or 0, those
    count that are 1, each image's mean alike; fewer than an eighth of a map weigh as an eighth, lest a handful of
    cells outweigh all others.
    """
    squares = student.square().mean(dim=1)  # (B, h, w)
    if cells is None:
        return squares.mean()
    least = squares[0].numel() * _LEAST_SHARE
    return ((squares * cells).sum(dim=(1, 2)) / cells.sum(dim=(1, 2)).clamp(min=least)).mean()


def compute_feature_loss(target: Tensor, prediction: Tensor) -> Tensor:
    """Return the mean squared difference of two feature maps (B, C, h, w): L_AE and L_STAE."""
    return F.mse_loss(prediction, target)
