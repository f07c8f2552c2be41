"""From features to anomaly maps and scores (arXiv 2303.14535, section 3.4 and Algorithm 2)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from efficientad.errors import MetricError
from efficientad.model.branch import Quantiles
from efficientad.model.sizes import HighOf

BORDER_CELLS = 4  # the PDN's receptive field takes 4 cells of 4 px from each side
QUANTILE_SCALE = 0.1  # a normalised map is 0 at the low and 0.1 at the high quantile


def compute_distance_map(features: Tensor, others: Tensor) -> Tensor:
    """Return the squared distance of two feature maps (B, C, h, w), averaged over channels: (B, 1, h, w)."""
    return (features - others).square().mean(dim=1, keepdim=True)


class Levels(NamedTuple):
    """Where a map is read off: the quantiles, in [0, 1], and what the high one is over.

    high_of "images": over the maps' largest values in place of their pixels. At 0.95 each branch alone would then call
    one good part in twenty higher than 0.1, and none drowns the others (docs/decisions/0021).
    """

    low: float
    high: float
    high_of: HighOf = "pixels"


def fit_quantiles(maps: Sequence[NDArray[np.float32]], levels: Levels) -> Quantiles:
    """Return the values of raw maps at the two levels: the low one over all pixels, the high one as `levels` says.

    Exact (sorted in float64, linear interpolation), not a subsample. The maps come without any border, so
    that no artificial zeros enter. Raises MetricError on no maps or pixels, on values that are not finite, and where
    the high one is not above the low one: such a map could not be normalised.
    """
    pixels = np.concatenate([np.zeros(0), *(np.ravel(one) for one in maps)])
    if not pixels.size:
        raise MetricError("expected maps of normal images, got none; add good images")
    if not np.isfinite(pixels).all():
        raise MetricError("expected finite maps, got NaN or infinity; the training diverged: lower its rate")
    highest = pixels if levels.high_of == "pixels" else np.array([one.max() for one in maps], np.float64)
    low, high = float(np.quantile(pixels, levels.low)), float(np.quantile(highest, levels.high))
    if high <= low:
        raise MetricError(
            f"expected the {levels.high} quantile of {levels.high_of} above the {levels.low} quantile of pixels, got "
            f"{high} and {low}; the images are all alike: add real ones"
        )
    return Quantiles(low, high)


def apply_quantiles(raw_map: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Normalise a raw map linearly: 0 at the low quantile, 0.1 at the high one; not clamped."""
    return QUANTILE_SCALE * (raw_map - low) / (high - low)


def upscale_map(cell_map: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Bring a cell map (B, 1, h, w) to the image's pixels (B, 1, H, W).

    The border that the PDN cannot see is filled with 0, the level of the low quantile.
    """
    padded = F.pad(cell_map, (BORDER_CELLS,) * 4)  # 56 -> 64
    return F.interpolate(padded, image_size, mode="bilinear", align_corners=False)


def enlarge_map(cell_map: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Bring a map (B, 1, h, w) of the whole image to its pixels (B, 1, H, W), bilinearly.

    As two products with constant matrices, which every runtime computes alike, and in a third of the time.
    """
    rows, columns = (
        _build_bilinear(int(cells), side).to(cell_map)
        for cells, side in zip(cell_map.shape[-2:], image_size, strict=True)
    )
    return rows @ cell_map @ columns.T


def _build_bilinear(cells: int, side: int) -> Tensor:
    """Return the matrix (side, cells) that reads cells at the centres of pixels."""
    identity = torch.eye(cells)[None]
    return F.interpolate(identity, size=side, mode="linear", align_corners=False)[0].T.contiguous()


def resize_cells(cell_map: Tensor, cells: tuple[int, int]) -> Tensor:
    """Bring a cell map (B, 1, h, w) to the cells (B, 1, *cells) of the same image at another size.

    Cells stand for the same places: the border that no cell is centred in is put around them and cut off again.
    """
    around = 2 * BORDER_CELLS
    resized = upscale_map(cell_map, (cells[0] + around, cells[1] + around))
    return resized[..., BORDER_CELLS:-BORDER_CELLS, BORDER_CELLS:-BORDER_CELLS]


def select_cells(raw_map: NDArray[np.float32], region: NDArray[np.bool_] | None, border: int) -> NDArray[np.float32]:
    """Return the values (N,) of the cells of a map (h, w) that have some part of a region (H, W) of the image.

    border: cells that the map lacks at each side of the image; see `Detector.list_borders`.
    """
    if region is None:
        return raw_map.ravel()
    height, width = raw_map.shape
    pixels = torch.from_numpy(region)[None, None].float()
    cells = F.adaptive_max_pool2d(pixels, (height + 2 * border, width + 2 * border))[0, 0].numpy() > 0
    return raw_map[cells[border : border + height, border : border + width]]


def compute_score(anomaly_map: Tensor, window: tuple[int, int] = (1, 1)) -> Tensor:
    """Return each image's score (B,): the largest mean over a window of px of its anomaly map (B, 1, H, W).

    Windows are 8, 4, 2 or 1 px apart: the most at which the first and the last touch the borders.
    """
    if window != (1, 1):
        sides = (int(side) for side in anomaly_map.shape[-2:])  # plain numbers when traced, too
        steps = [math.gcd(side - part, 8) for side, part in zip(sides, window, strict=True)]
        anomaly_map = F.avg_pool2d(anomaly_map, window, steps)
    return torch.amax(anomaly_map, dim=(1, 2, 3))
