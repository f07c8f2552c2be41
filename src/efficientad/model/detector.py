"""The detector: image -> (anomaly map, score). This module is the graph that is exported.

Everything that a score depends on is a buffer in here: the ImageNet normalisation, the teacher's channel
statistics, the memories, the map quantiles, the region of interest and the threshold. Importing it loads neither
lightning, cv2 nor openvino.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from efficientad.model.autoencoder import Autoencoder, view_whole
from efficientad.model.cells import count_cells, split_cells
from efficientad.model.maps import (
    Quantiles,
    apply_quantiles,
    combine_maps,
    compute_distance_map,
    compute_score,
    resize_cells,
    spread_cells,
    upscale_map,
)
from efficientad.model.memory_bank import Memory
from efficientad.model.normaliser import ImageNormaliser
from efficientad.model.pdn import STUDENT_CHANNELS, TEACHER_CHANNELS, build_pdn, count_layers, split_student
from efficientad.model.sizes import VIEW_PX, PDNSize


class RawMaps(NamedTuple):
    """The distance maps (B, 1, h, w), at one cell every 4 px, not normalised.

    Of an image larger than 256 px the autoencoder's has the cells of the view of 256 px; a memory's has those of its
    smaller view, whatever the image's size is.
    """

    student_map: Tensor
    autoencoder_map: Tensor
    memory_maps: tuple[Tensor, ...] = ()


class Detection(NamedTuple):
    """What the detector says: a map in the image's pixels, and a score; higher = more anomalous."""

    anomaly_map: Tensor  # (B, 1, H, W)
    anomaly_score: Tensor  # (B,)


class Detector(nn.Module):
    """Teacher, student, autoencoder and memories, with everything that turns their features into a score.

    A fresh detector has random networks, neutral statistics and quantiles 0 and 1; the pipeline's stages
    fill them: `distill` the teacher, `train` the rest of the networks and the channel statistics,
    `calibrate` the memories, the quantiles and the threshold.
    """

    teacher_mean: Tensor
    teacher_std: Tensor
    student_quantiles: Tensor
    autoencoder_quantiles: Tensor
    threshold: Tensor
    region: Tensor

    def __init__(
        self,
        size: PDNSize,
        shared_convolutions: int = 0,
        region_size: tuple[int, int] | None = None,
        memories: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Build the networks.

        shared_convolutions: so many less has the student, and goes on from the teacher's.
        region_size: height and width in px where a region of interest is to be loaded; None judges everything.
        memories: scale and number of patches of each that is to be loaded.
        """
        super().__init__()
        self.size = size
        self.shared_convolutions = shared_convolutions
        self.normaliser = ImageNormaliser()
        self.teacher = build_pdn(size, TEACHER_CHANNELS).requires_grad_(False)
        student = build_pdn(size, STUDENT_CHANNELS)
        self.shared_layers = count_layers(student, shared_convolutions)
        self.student = nn.Sequential(*list(student)[self.shared_layers :])
        self.autoencoder = Autoencoder()
        self.memories = nn.ModuleList(Memory(scale, patches) for scale, patches in memories)
        self.register_buffer("teacher_mean", torch.zeros(1, TEACHER_CHANNELS, 1, 1))
        self.register_buffer("teacher_std", torch.ones(1, TEACHER_CHANNELS, 1, 1))
        self.register_buffer("student_quantiles", torch.tensor([0.0, 1.0]))  # low, high
        self.register_buffer("autoencoder_quantiles", torch.tensor([0.0, 1.0]))  # low, high
        self.register_buffer("threshold", torch.tensor(float("inf")))  # anomalous above it
        self.register_buffer("region", torch.ones(region_size or (), dtype=torch.bool))  # judged where True

    def normalise_features(self, features: Tensor) -> Tensor:
        """Bring the teacher's features (B, 384, h, w) to zero mean and unit variance per channel."""
        normalised: Tensor = (features - self.teacher_mean) / self.teacher_std
        return normalised

    def compute_raw_maps(self, image: Tensor) -> RawMaps:
        """Return the raw distance maps of an RGB image (B, 3, H, W) in [0, 1].

        An image larger than the autoencoder's view is compared with the student tile by tile, at its own size, and
        with the autoencoder as a whole, at the size of the view.
        """
        normalised = self.normaliser(image)
        memory_maps = self._compare_with_memories(view_whole(image)) if len(self.memories) else ()
        height, width = (int(side) for side in image.shape[-2:])  # plain numbers when traced, too
        if max(height, width) > VIEW_PX:
            rows = split_cells(height, width)
            parts = [[self._compare_with_student(tile.crop_image(normalised)) for tile in row] for row in rows]
            student_map = torch.cat([torch.cat(row, dim=-1) for row in parts], dim=-2)
            return RawMaps(student_map, self._compare_with_autoencoder(view_whole(normalised)), memory_maps)
        hidden = self.teacher[: self.shared_layers](normalised)
        teacher = self.normalise_features(self.teacher[self.shared_layers :](hidden))  # (B, 384, 56, 56) at 256 x 256
        predicted_teacher, predicted_autoencoder = split_student(self.student(hidden))
        map_size = (teacher.shape[-2], teacher.shape[-1])
        autoencoder = self.autoencoder(normalised, map_size)
        return RawMaps(
            compute_distance_map(teacher, predicted_teacher),
            compute_distance_map(autoencoder, predicted_autoencoder),
            memory_maps,
        )

    def _compare_with_memories(self, view: Tensor) -> tuple[Tensor, ...]:
        return tuple(memory(self.describe_for(memory, view)) for memory in self._list_memories())

    def describe_for(self, memory: Memory, view: Tensor) -> Tensor:
        """Return the teacher's features (B, 384, h, w) of an RGB view (B, 3, 256, 256) at a memory's scale."""
        features: Tensor = self.teacher(self.normaliser(memory.shrink(view)))
        return features

    def describe_memories(self) -> list[tuple[int, int]]:
        """Return scale and number of patches of each memory, as the constructor takes them."""
        return [(memory.scale, len(memory.bank)) for memory in self._list_memories()]

    def _list_memories(self) -> list[Memory]:
        return [memory for memory in self.memories if isinstance(memory, Memory)]

    def _compare_with_student(self, normalised: Tensor) -> Tensor:
        hidden = self.teacher[: self.shared_layers](normalised)
        teacher = self.normalise_features(self.teacher[self.shared_layers :](hidden))
        return compute_distance_map(teacher, self._predict(hidden, slice(0, TEACHER_CHANNELS)))

    def _compare_with_autoencoder(self, view: Tensor) -> Tensor:
        predicted = self._predict(self.teacher[: self.shared_layers](view), slice(TEACHER_CHANNELS, None))
        cells = count_cells(VIEW_PX)
        return compute_distance_map(self.autoencoder(view, (cells, cells)), predicted)

    def _predict(self, hidden: Tensor, channels: slice) -> Tensor:
        """Return these channels of the student's features alone."""
        head = self.student[-1]
        assert isinstance(head, nn.Conv2d)
        assert head.bias is not None
        return F.conv2d(self.student[:-1](hidden), head.weight[channels], head.bias[channels])

    def forward(self, image: Tensor) -> Detection:
        """Find anomalies in an RGB image (B, 3, H, W) in [0, 1]; see `Detection`."""
        maps = self.normalise_maps(self.compute_raw_maps(image))
        anomaly_map = upscale_map(combine_maps(maps), (image.shape[-2], image.shape[-1]))
        if self.region.ndim:
            anomaly_map = anomaly_map * self.region
        return Detection(anomaly_map, compute_score(anomaly_map))

    def normalise_maps(self, raw: RawMaps) -> list[Tensor]:
        """Return the maps of student, autoencoder and memories, normalised, all on the student's cells.

        Below its low quantile a memory says nothing: what its coarse cells say of good pixels is no reason to rank them
        otherwise than the fine maps do (docs/decisions/0020).
        """
        cells = (int(raw.student_map.shape[-2]), int(raw.student_map.shape[-1]))
        student = apply_quantiles(raw.student_map, self.student_quantiles[0], self.student_quantiles[1])
        autoencoder = apply_quantiles(raw.autoencoder_map, self.autoencoder_quantiles[0], self.autoencoder_quantiles[1])
        if autoencoder.shape != student.shape:
            autoencoder = resize_cells(autoencoder, cells)
        memories = [
            spread_cells(F.relu(apply_quantiles(one, memory.quantiles[0], memory.quantiles[1])), cells)
            for one, memory in zip(raw.memory_maps, self._list_memories(), strict=True)
        ]
        return [student, autoencoder, *memories]

    def set_region(self, region: NDArray[np.bool_] | None) -> None:
        """Judge the pixels of a region (H, W) alone, which has the size of the images; None judges everything."""
        self.region = torch.ones((), dtype=torch.bool) if region is None else torch.from_numpy(region)

    def set_calibration(
        self, student: Quantiles, autoencoder: Quantiles, threshold: float, memories: Sequence[Quantiles] = ()
    ) -> None:
        """Store what `calibrate` learnt from held-out normal images; `memories` has the quantiles of each memory."""
        self.student_quantiles.copy_(torch.tensor([student.low, student.high]))
        self.autoencoder_quantiles.copy_(torch.tensor([autoencoder.low, autoencoder.high]))
        for memory, quantiles in zip(self._list_memories(), memories, strict=True):
            memory.quantiles.copy_(torch.tensor([quantiles.low, quantiles.high]))
        self.threshold.fill_(threshold)
