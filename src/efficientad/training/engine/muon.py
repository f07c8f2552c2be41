"""Muon: momentum, made orthogonal, for the weights of convolutions.

Keller Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the rate's scale for tall matrices is theirs,
too. torch.optim.Muon does the same for two-dimensional parameters and refuses the four dimensions of a
convolution, which here is the matrix (out, in * height * width).
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

_MOMENTUM = 0.9
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # coefficients of the odd polynomial that drives singular values to 1
_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Steps of spectral norm `lr` along the orthogonalised Nesterov momentum.

    A convolution's weights are the matrix (out, in * height * width), biases a matrix of one row. In a group with
    `rows`, every `rows` outputs are a matrix of their own: networks side by side in one convolution.

    Every direction of the gradient is followed at the same pace, the weak ones, too. A short distillation with Adam
    lacks this: with Muon the four layers move together from the first steps on.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        lr: float,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """`dtype` is of the multiplications inside `orthogonalise`; momentum and weights keep their own."""
        super().__init__(parameters, {"lr": lr, "rows": None})
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Make one step; `closure` recomputes the loss, as every torch optimiser has it."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_one(parameter, group["lr"], group["rows"])
        return loss

    def _step_one(self, parameter: nn.Parameter, rate: float, rows: int | None) -> None:
        assert parameter.grad is not None
        state: dict[str, Any] = self.state[parameter]
        momentum = state.setdefault("momentum", torch.zeros_like(parameter))
        momentum.mul_(_MOMENTUM).add_(parameter.grad)
        direction = parameter.grad + _MOMENTUM * momentum
        size = rows or len(parameter)
        for part, target in zip(torch.split(direction, size), torch.split(parameter.data, size), strict=True):
            matrix = part.flatten(1) if part.ndim > 1 else part[None]
            tall = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
            target.add_(orthogonalise(matrix, self.dtype).view_as(target), alpha=-rate * tall)


def orthogonalise(matrix: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return about U V' of the singular value decomposition U S V' of a matrix, in its own shape and dtype.

    Newton-Schulz iterations bring the singular values to between 0.6 and 1.2 without a decomposition, but for
    those below a thousandth of the largest. In bfloat16 the result lies within
    a few percent of float32's, far less than what separates the singular values.
    """
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = (wide / (wide.norm() + 1e-7)).to(dtype)
    a, b, c = _NEWTON_SCHULZ
    for _ in range(_ITERATIONS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: Tensor = x.T if matrix.shape[0] > matrix.shape[1] else x
    return result.to(matrix.dtype)
