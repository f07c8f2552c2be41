"""The student's last convolution, solved instead of searched for.

Given the layers before it, the losses of Algorithm 1 (arXiv 2303.14535) are quadratic in the student's last
convolution, all but the hard selection: its minimum is the solution of one linear system whose matrix is the
second moment of the patches that the convolution sees.
"""

from collections.abc import Iterable
from dataclasses import dataclass

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


def measure_moments(convolution: nn.Conv2d, pairs: Iterable[tuple[Tensor, Tensor | None]]) -> PatchMoments:
    """Measure the moments of what `convolution` sees.

    `pairs` are its input (B, in, h + kernel - 1, w + kernel - 1) and the wanted output (B, m, h, w) or None, in
    float32. Sums of a batch are taken in float32, those over batches in float64. Raises ModelError without a pair.
    """
    inputs: Tensor | None = None
    targets: Tensor | None = None
    count = 0
    for hidden, wanted in pairs:
        patches = list_patches(hidden, int(convolution.kernel_size[0]))  # (P, n)
        rows = patches.new_zeros(0, len(patches))
        if wanted is not None:
            rows = wanted[:, :, ::_STRIDE, ::_STRIDE].transpose(0, 1).flatten(1)  # (m, P)
        both = multiply_matrices(torch.cat([patches.T, rows]), patches).to("cpu", torch.float64)
        n = patches.shape[1]
        inputs = both[:n] if inputs is None else inputs + both[:n]
        targets = both[n:] if targets is None else targets + both[n:]
        count += len(patches)
    if inputs is None or targets is None:
        raise ModelError("expected the features of at least one image, got none")
    return PatchMoments(inputs / count, targets / count)


def list_patches(hidden: Tensor, kernel: int) -> Tensor:
    """Return (P, in * kernel * kernel + 1): each second patch of (B, in, h, w) in each direction, and a 1."""
    patches = F.unfold(hidden, kernel, stride=_STRIDE).transpose(1, 2).flatten(0, 1)
    return torch.cat([patches, patches.new_ones(len(patches), 1)], dim=1)


def multiply_matrices(left: Tensor, right: Tensor) -> Tensor:
    """Return left (a, p) times right (p, b), as a 1 x 1 convolution.

    On processors other than Intel's that is up to twice as fast as torch.mm, whose library holds back there.
    """
    return F.conv2d(right[None, :, :, None], left[:, :, None, None])[0, :, :, 0]


def solve_convolution(
    convolution: nn.Conv2d, wanted: PatchMoments, silent: Tensor | None, silence: float, ridge: float
) -> None:
    """Set weights and bias to the minimum of a sum of squares, in place.

    The convolution shall say the targets of `wanted`, and nothing on the patches whose second moment is `silent`
    (n, n), which weigh `silence` times as much; `ridge` times the mean eigenvalue weighs the weights themselves
    and keeps the system regular. Raises ModelError when it is not.
    """
    n = len(wanted.inputs)
    scale = wanted.inputs.trace() / n
    matrix = wanted.inputs + ridge * scale * torch.eye(n, dtype=torch.float64)
    if silent is not None:
        matrix += silence * silent
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if failed or not factor.isfinite().all():
        raise ModelError("expected finite features of varying patches, got a singular system; raise train.ridge")
    solution = torch.cholesky_solve(wanted.targets.T, factor).T.float()  # (m, n)
    with torch.no_grad():
        convolution.weight.copy_(solution[:, :-1].view_as(convolution.weight))
        assert convolution.bias is not None
        convolution.bias.copy_(solution[:, -1])
