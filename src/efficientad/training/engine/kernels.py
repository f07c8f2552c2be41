"""Backward passes that do less work than autograd's for the same gradients.

Both are exact: what they leave out is zero. They were found with the profiler, at the student's first layers, whose
maps fill the memory bus, and at its last convolution, of which the hard loss looks at one value in a thousand.
"""

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientad.training.engine.losses import select_hard

_ROWS = 256


class _RectifyAndPool(torch.autograd.Function):
    """ReLU, then the mean of 2 x 2 cells; its gradient is written once instead of filled, spread and masked."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        rectified = features.relu_()
        ctx.save_for_backward(rectified)
        return F.avg_pool2d(rectified, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (rectified,) = ctx.saved_tensors
        height, width = (side // 2 * 2 for side in rectified.shape[-2:])
        result = torch.empty_like(rectified)
        result[:, :, height:].zero_()  # an odd last row or column is in no cell
        result[:, :, :, width:].zero_()
        quarter = gradients[0] * 0.25
        for y in (0, 1):
            for x in (0, 1):
                corner = (slice(None), slice(None), slice(y, height, 2), slice(x, width, 2))
                torch.ops.aten.threshold_backward.grad_input(quarter, rectified[corner], 0, grad_input=result[corner])
        return result


def rectify_and_pool(features: Tensor) -> Tensor:
    """Return the mean over cells of 2 x 2 of ReLU(features), (B, C, h, w) -> (B, C, h // 2, w // 2).

    `features` must be the result of an operation that nothing else reads: it is rectified in place.
    """
    pooled: Tensor = _RectifyAndPool.apply(features)  # type: ignore[no-untyped-call]
    return pooled


def run_layers(layers: Iterable[nn.Module], image: Tensor) -> Tensor:
    """Run the layers of a patch description network, with `rectify_and_pool` for each ReLU before a pooling."""
    hidden, rest = image, list(layers)
    while rest:
        layer = rest.pop(0)
        if isinstance(layer, nn.ReLU) and rest and isinstance(rest[0], nn.AvgPool2d):
            rest.pop(0)
            hidden = rectify_and_pool(hidden)
        else:
            hidden = layer(hidden)
    return hidden


def _pad_rows(matrix: Tensor) -> Tensor:
    """Add rows of zeros up to a multiple of `_ROWS`.

    oneDNN compiles a product for every size and keeps a thousand of them: a size of its own each step would take
    gigabytes.
    """
    return F.pad(matrix, (0, 0, 0, -len(matrix) % _ROWS))


class _HardFeatureLoss(torch.autograd.Function):
    """The hard feature loss of a convolution's output, with a gradient at the hard places alone."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor, teacher: Tensor, quantile: float) -> Tensor:
        difference = F.conv2d(hidden, weight, bias).float() - teacher
        hard, counts = select_hard(difference.square(), quantile)
        image, channel, y, x = hard
        values = difference[hard]
        share = 1 / (len(teacher) * counts[image])
        width = teacher.shape[-1]
        places, row = torch.unique((image * teacher.shape[-2] + y) * width + x, return_inverse=True)
        gradient = teacher.new_zeros(len(places), teacher.shape[1])
        gradient[row, channel] = 2 * values * share
        ctx.save_for_backward(hidden, weight, gradient, places)
        ctx.map_size = (teacher.shape[-2], width)
        return (values.square() * share).sum()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        hidden, weight, gradient, places = ctx.saved_tensors
        gradient = (gradient * gradients[0]).to(hidden.dtype)  # (P, m)
        height, width = ctx.map_size
        kernel = weight.shape[-1]
        at = (places // (height * width), places // width % height, places % width)
        rows = torch.cat([hidden[at[0], :, at[1] + i, at[2] + j] for i in range(kernel) for j in range(kernel)], dim=1)
        gradient, rows = _pad_rows(gradient), _pad_rows(rows)
        in_rows = weight.to(hidden.dtype).permute(0, 2, 3, 1).flatten(1)  # (m, kernel * kernel * in)
        for_weight = (gradient.T @ rows).float().view(len(weight), kernel, kernel, -1).permute(0, 3, 1, 2)
        spread = (gradient @ in_rows)[: len(places)].view(len(places), kernel * kernel, -1)
        for_hidden = torch.zeros_like(hidden)
        cells = for_hidden.permute(0, 2, 3, 1)  # (B, h, w, in), in the same memory
        for index in range(kernel * kernel):
            i, j = divmod(index, kernel)
            # Of one offset no two places fall on the same cell, so that the order of adding cannot matter.
            cells[at[0], at[1] + i, at[2] + j] += spread[:, index]
        return for_hidden, for_weight.to(weight.dtype), gradient.float().sum(0).to(weight.dtype), None, None


def compute_head_hard_loss(hidden: Tensor, weight: Tensor, bias: Tensor, teacher: Tensor, quantile: float) -> Tensor:
    """Return `losses.compute_hard_feature_loss` of F.conv2d(hidden, weight, bias) against `teacher`.

    hidden (B, in, h + k - 1, w + k - 1), weight (m, in, k, k), bias (m,), teacher (B, m, h, w) float32. The values'
    gradient goes to the places that hold a hard one only, and its work grows with their number.
    """
    if torch.is_autocast_enabled(hidden.device.type):
        dtype = torch.get_autocast_dtype(hidden.device.type)
        hidden, weight, bias = hidden.to(dtype), weight.to(dtype), bias.to(dtype)
    loss: Tensor = _HardFeatureLoss.apply(hidden, weight, bias, teacher, quantile)  # type: ignore[no-untyped-call]
    return loss
