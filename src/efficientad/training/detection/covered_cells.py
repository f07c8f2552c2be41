"""Which cells of a feature map a synthetic defect covers."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from efficientad.model.pdn import RECEPTIVE_FIELD_PX, STRIDE_PX

_MIDDLE_PX = 9  # of a patch, in which a defect must lie
_COVERED = 0.15  # of that middle


def find_covered_cells(covered: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the cells (h', w') of a patch description network in whose middle a cover (h, w) lies."""
    first = RECEPTIVE_FIELD_PX // 2  # 16: the middle of the first cell
    middles = ndimage.uniform_filter(covered, _MIDDLE_PX)[first:-first:STRIDE_PX, first:-first:STRIDE_PX]
    return np.asarray(middles > _COVERED, np.bool_)
