"""Weights to eight bits so that a layer's results, not its weights, change the least (GPTQ, Frantar et al., ICLR 2023).

Rounding each weight to the nearest step treats all errors alike. The inputs of a convolution do not: neighbouring
values of a feature map go together, so that errors in some directions cancel and in others add up. Here weights are
rounded one input at a time, and what an error does to the result is put right by those that are still to come.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

LEVELS = 127  # steps on either side of zero
_DAMPING = 0.01  # of the mean square of the inputs: directions that the images do not show keep near to their weights
_BLOCK = 128  # inputs after which the rest is put right; for speed alone

Array = NDArray[np.float64]


def round_weights(weights: Array, moments: Array) -> Array:
    """Return weights (O, K) on a grid of each row's largest absolute value / 127.

    `moments` (K, K) are the sums of products of the inputs, X^T X of inputs (N, K). Each row keeps a weight at the end
    of its grid, so that whoever takes the grid from the result finds the same one.
    """
    steps = np.abs(weights).max(axis=1, keepdims=True) / LEVELS
    steps[steps == 0] = 1
    count = weights.shape[1]
    damped = moments + (_DAMPING * moments.trace() / count or 1.0) * np.eye(count)  # no inputs: to the nearest
    factor = _factor_inverse(damped)
    left, rounded = weights.copy(), np.empty_like(weights)
    for first in range(0, count, _BLOCK):
        last = min(first + _BLOCK, count)
        errors = np.empty((len(weights), last - first))
        for place in range(first, last):
            rounded[:, place] = np.clip(np.round(left[:, place] / steps[:, 0]), -LEVELS, LEVELS) * steps[:, 0]
            error = (left[:, place] - rounded[:, place]) / factor[place, place]
            left[:, place:last] -= np.outer(error, factor[place, place:last])
            errors[:, place - first] = error
        left[:, last:] -= errors @ factor[first:last, last:]
    rows, largest = np.arange(len(weights)), np.abs(weights).argmax(axis=1)
    rounded[rows, largest] = np.sign(weights[rows, largest]) * LEVELS * steps[:, 0]
    return rounded


def _factor_inverse(matrix: Array) -> Array:
    """Return the upper triangular U with U^T U = matrix^-1, of a positive definite matrix.

    From matrix = R R^T with R upper triangular, which is a Cholesky factor read from the last row to the first, comes
    U = R^-1: half the work of inverting the matrix and factoring that.
    """
    reversed_factor = linalg.cholesky(matrix[::-1, ::-1], lower=True)
    inverse, _ = linalg.lapack.dtrtri(reversed_factor[::-1, ::-1])
    return np.asarray(inverse, np.float64)
