"""From features to anomaly maps and scores (arXiv 2303.14535, section 3.4 and Algorithm 2)."""

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


def combine_maps(maps: Sequence[Tensor]) -> Tensor:
    """Average the normalised maps (B, 1, h, w) of all branches; the paper has two, the local and the global one."""
    combined = maps[0]
    for one in maps[1:]:
        combined = combined + one
    return combined / len(maps)


def upscale_map(cell_map: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Bring a cell map (B, 1, h, w) to the image's pixels (B, 1, H, W).

    The border that the PDN cannot see is filled with 0, the level of the low quantile.
    """
    padded = F.pad(cell_map, (BORDER_CELLS,) * 4)  # 56 -> 64
    return F.interpolate(padded, image_size, mode="bilinear", align_corners=False)


def resize_cells(cell_map: Tensor, cells: tuple[int, int]) -> Tensor:
    """Bring a cell map (B, 1, h, w) to the cells (B, 1, *cells) of the same image at another size.

    Cells stand for the same places: the border that no cell is centred in is put around them and cut off again.
    """
    around = 2 * BORDER_CELLS
    resized = upscale_map(cell_map, (cells[0] + around, cells[1] + around))
    return resized[..., BORDER_CELLS:-BORDER_CELLS, BORDER_CELLS:-BORDER_CELLS]


def spread_cells(cell_map: Tensor, cells: tuple[int, int]) -> Tensor:
    """Bring a map (B, 1, h, w) of few cells to the many cells (B, 1, *cells) of the same image at a larger size.

    As `resize_cells`, but around them the outermost values go on: a patch of a small view sees to the border.
    """
    height, width = (side + 2 * BORDER_CELLS for side in cells)
    padded = F.pad(cell_map, (BORDER_CELLS,) * 4, mode="replicate")
    resized = F.interpolate(padded, (height, width), mode="bilinear", align_corners=False)
    return resized[..., BORDER_CELLS:-BORDER_CELLS, BORDER_CELLS:-BORDER_CELLS]


def select_cells(raw_map: NDArray[np.float32], region: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """Return the values (N,) of the cells of a map (h, w) that have some part of a region (H, W) of the image."""
    if region is None:
        return raw_map.ravel()
    around = 2 * BORDER_CELLS
    pixels = torch.from_numpy(region)[None, None].float()
    cells = F.adaptive_max_pool2d(pixels, (raw_map.shape[0] + around, raw_map.shape[1] + around))[0, 0].numpy() > 0
    return raw_map[cells[BORDER_CELLS:-BORDER_CELLS, BORDER_CELLS:-BORDER_CELLS]]


def compute_score(anomaly_map: Tensor) -> Tensor:
    """Return each image's score (B,): the largest value of its anomaly map (B, 1, H, W)."""
    return torch.amax(anomaly_map, dim=(1, 2, 3))
