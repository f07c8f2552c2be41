"""Planes of one channel: smoothed, compared."""

import cv2
import numpy as np
from numpy.typing import NDArray


def smooth_plane(plane: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Return a plane (H, W) convolved with a Gaussian, mirrored at the borders."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT), np.float32)


def correlate_block(block: NDArray[np.float32], area: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the correlation in [-1, 1] of a block (h, w) with each place in an area (H, W): (H - h + 1, W - w + 1).

    Means are subtracted and norms divided out place by place; a block or place without contrast gives 0.
    """
    if np.ptp(block) == 0:  # for which OpenCV gives 1
        return np.zeros((area.shape[0] - block.shape[0] + 1, area.shape[1] - block.shape[1] + 1), np.float32)
    return np.asarray(cv2.matchTemplate(area, block, cv2.TM_CCOEFF_NORMED), np.float32)
