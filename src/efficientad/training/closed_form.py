"""The student's last convolution, solved instead of searched for.

Given the layers before it, the losses of Algorithm 1 (arXiv 2303.14535) are quadratic in the student's last
convolution, all but the hard selection: its minimum is the solution of one linear system whose matrix is the
second moment of the patches that the convolution sees.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientad.errors import ModelError

_STRIDE = 2  # cells: neighbouring patches say nearly the same, every second one in each direction will do


@dataclass(frozen=True)
class PatchMoments:
    """Means over patches, in float64.

    inputs:  (n, n), of u u', where u is what the convolution multiplies with one row of its weights, and 1 for
             the bias: n = in * kernel * kernel + 1.
    targets: (m, n), of y u' for what the convolution shall say there; (0, n) without targets.
    """

    inputs: Tensor
    targets: Tensor


class Sight(NamedTuple):
    """What a convolution sees and should say on a few images, float32."""

    hidden: Tensor  # (B, in, h + kernel - 1, w + kernel - 1), its input
    wanted: Tensor | None = None  # (B, m, h, w), its output
    weight: Tensor | None = None  # (B, 1, h, w), how much each place counts


def measure_moments(convolution: nn.Conv2d, sights: Iterable[Sight]) -> PatchMoments:
    """Measure the moments of what `convolution` sees.

    Sums of a batch are taken in float32, those over batches in float64. Raises ModelError without a sight.
    """
    inputs: Tensor | None = None
    targets: Tensor | None = None
    total = 0.0
    for sight in sights:
        patches = list_patches(sight.hidden, int(convolution.kernel_size[0]))  # (P, n)
        rows = patches.T  # (n + m, P), with the targets below
        if sight.wanted is not None:
            rows = torch.cat([rows, _list_places(sight.wanted)])
        if sight.weight is not None:
            weight = _list_places(sight.weight)  # (1, P)
            rows, total = rows * weight, total + float(weight.sum())
        else:
            total += len(patches)
        both = multiply_matrices(rows, patches).to("cpu", torch.float64)
        n = patches.shape[1]
        inputs = both[:n] if inputs is None else inputs + both[:n]
        targets = both[n:] if targets is None else targets + both[n:]
    if inputs is None or targets is None:
        raise ModelError("expected the features of at least one image, got none")
    return PatchMoments((inputs + inputs.T) / (2 * total), targets / total)  # rounding leaves no exact symmetry


def _list_places(features: Tensor) -> Tensor:
    """Return (m, P): features (B, m, h, w) at the places of `list_patches`."""
    return features[:, :, ::_STRIDE, ::_STRIDE].transpose(0, 1).flatten(1)


def list_patches(hidden: Tensor, kernel: int) -> Tensor:
    """Return (P, in * kernel * kernel + 1): each second patch of (B, in, h, w) in each direction, and a 1."""
    patches = F.unfold(hidden, kernel, stride=_STRIDE).transpose(1, 2).flatten(0, 1)
    return torch.cat([patches, patches.new_ones(len(patches), 1)], dim=1)


def multiply_matrices(left: Tensor, right: Tensor) -> Tensor:
    """Return left (a, p) times right (p, b) in their own precision, also under autocast, as a 1 x 1 convolution.

    On processors other than Intel's that is up to twice as fast as torch.mm, whose library holds back there.
    """
    with torch.autocast(left.device.type, enabled=False):
        return F.conv2d(right[None, :, :, None], left[:, :, None, None])[0, :, :, 0]


def solve_weights(moments: PatchMoments, silent: PatchMoments | None, silence: float, ridge: float) -> Tensor:
    """Return the weights (m, n) at the minimum of a sum of squares.

    They say the targets of `moments`, and nothing on the patches of `silent`, which weigh `silence` times as much;
    `ridge` times the mean eigenvalue weighs the weights themselves and keeps the system regular, in spite of the
    rounding of float32 sums, where it is 1e-4 or more. Raises ModelError when it is not.
    """
    n = len(moments.inputs)
    matrix = moments.inputs + ridge * moments.inputs.trace() / n * torch.eye(n, dtype=torch.float64)
    if silent is not None:
        matrix += silence * silent.inputs
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if failed or not factor.isfinite().all():
        raise ModelError("expected finite features of varying patches, got a singular system; raise the ridge")
    return torch.cholesky_solve(moments.targets.T, factor).T.float()


def write_weights(convolution: nn.Conv2d, channels: slice, weights: Tensor) -> None:
    """Set some output channels of a convolution to solved weights (m, n), in place."""
    with torch.no_grad():
        convolution.weight[channels] = weights[:, :-1].view_as(convolution.weight[channels])
        assert convolution.bias is not None
        convolution.bias[channels] = weights[:, -1]
