"""The detector: image -> (anomaly map, score). This module is the graph that is exported.

Everything that a score depends on is a buffer in here: the ImageNet normalisation, the teacher's channel
statistics, the memory banks, the map quantiles and the region of interest. The threshold is beside it, in the header.
Importing it loads neither lightning, cv2 nor openvino.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from efficientad.model.autoencoder import Autoencoder
from efficientad.model.branch import Branch, Quantiles
from efficientad.model.cells import count_cells, split_cells
from efficientad.model.maps import (
    apply_quantiles,
    combine_maps,
    compute_distance_map,
    compute_score,
    resize_cells,
    spread_cells,
    upscale_map,
)
from efficientad.model.memory_bank import MemoryBank
from efficientad.model.normaliser import ImageNormaliser
from efficientad.model.pdn import STUDENT_CHANNELS, TEACHER_CHANNELS, build_pdn, count_layers, split_student
from efficientad.model.resizing import view_whole
from efficientad.model.sizes import VIEW_PX, PDNSize


class Detection(NamedTuple):
    """What the detector says: a map in the image's pixels, and a score; higher = more anomalous."""

    anomaly_map: Tensor  # (B, 1, H, W)
    anomaly_score: Tensor  # (B,)


class Detector(nn.Module):
    """Teacher, student, autoencoder and memory banks, with everything that turns their features into a score.

    A fresh detector has random networks, neutral statistics and quantiles 0 and 1; the pipeline's stages fill them:
    `distill` the teacher, `train` the rest of the networks and the channel statistics, `fit` the memory banks and the
    quantiles.
    """

    teacher_mean: Tensor
    teacher_std: Tensor
    quantiles: Tensor
    region: Tensor

    def __init__(
        self,
        size: PDNSize,
        shared_convolutions: int = 0,
        region_size: tuple[int, int] | None = None,
        banks: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Build the networks.

        shared_convolutions: how many of the student's first convolutions are the teacher's.
        region_size: height and width in px where a region of interest is to be loaded; None judges everything.
        banks: scale and number of patches of each memory bank that is to be loaded.
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
        self.memory_banks = nn.ModuleList(MemoryBank(scale, patches) for scale, patches in banks)
        self.register_buffer("teacher_mean", torch.zeros(1, TEACHER_CHANNELS, 1, 1))
        self.register_buffer("teacher_std", torch.ones(1, TEACHER_CHANNELS, 1, 1))
        self.register_buffer("quantiles", _build_quantiles(len(self.memory_banks)))
        self.register_buffer("region", torch.ones(region_size or (), dtype=torch.bool))  # judged where True

    def normalise_features(self, features: Tensor) -> Tensor:
        """Bring the teacher's features (B, 384, h, w) to zero mean and unit variance per channel."""
        normalised: Tensor = (features - self.teacher_mean) / self.teacher_std
        return normalised

    def compute_raw_maps(self, image: Tensor, excluded: Sequence[Tensor] | None = None) -> list[Tensor]:
        """Return the raw distance map (B, 1, h, w) of each of `list_branches`, of an RGB image (B, 3, H, W) in [0, 1].

        The student's has a cell every 4 px, the autoencoder's, too, but of an image above 256 px those of 256 px; a
        memory bank's has the cells of its small image, whatever the image's size is. An image above 256 px is compared
        with the student tile by tile, at its own size, and with the others as a whole.

        excluded: of each memory bank (B, patches), True where an image is not compared with a patch.
        """
        normalised = self.normaliser(image)
        height, width = (int(side) for side in image.shape[-2:])  # plain numbers when traced, too
        compare = self._compare_in_tiles if max(height, width) > VIEW_PX else self._compare_at_once
        return [*compare(normalised), *self._compare_with_banks(image, excluded)]

    def _compare_at_once(self, normalised: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.teacher[: self.shared_layers](normalised)
        teacher = self.normalise_features(self.teacher[self.shared_layers :](hidden))  # (B, 384, 56, 56) at 256 x 256
        predicted_teacher, predicted_autoencoder = split_student(self.student(hidden))
        autoencoder = self.autoencoder(normalised, (teacher.shape[-2], teacher.shape[-1]))
        autoencoder_map = compute_distance_map(autoencoder, predicted_autoencoder)
        return compute_distance_map(teacher, predicted_teacher), autoencoder_map

    def _compare_in_tiles(self, normalised: Tensor) -> tuple[Tensor, Tensor]:
        rows = split_cells(*(int(side) for side in normalised.shape[-2:]))
        parts = [[self._compare_with_student(tile.crop_image(normalised)) for tile in row] for row in rows]
        student_map = torch.cat([torch.cat(row, dim=-1) for row in parts], dim=-2)
        return student_map, self._compare_with_autoencoder(view_whole(normalised))

    def _compare_with_banks(self, image: Tensor, excluded: Sequence[Tensor] | None) -> list[Tensor]:
        banks = self.list_banks()
        whole = view_whole(image) if banks else image
        left_out: Sequence[Tensor | None] = excluded or [None] * len(banks)
        return [bank(self.compute_bank_features(bank, whole), one) for bank, one in zip(banks, left_out, strict=True)]

    def compute_bank_features(self, bank: MemoryBank, image: Tensor) -> Tensor:
        """Return the teacher's features (B, 384, h, w) of an RGB image (B, 3, H, W) at a memory bank's scale."""
        features: Tensor = self.teacher(self.normaliser(bank.shrink(view_whole(image))))
        return features

    def list_banks(self) -> list[MemoryBank]:
        """Return the memory banks, the finest first as they were added."""
        return [bank for bank in self.memory_banks if isinstance(bank, MemoryBank)]

    def describe_banks(self) -> list[tuple[int, int]]:
        """Return scale and number of patches of each memory bank, as the constructor takes them."""
        return [(bank.scale, len(bank.patches)) for bank in self.list_banks()]

    def list_branches(self) -> list[Branch]:
        """Return the branches in the order of all maps: student, autoencoder, then each memory bank."""
        names = ["student", "autoencoder", *(f"memory_bank_{bank.scale}" for bank in self.list_banks())]
        return [Branch(name, Quantiles(*pair)) for name, pair in zip(names, self.quantiles.tolist(), strict=True)]

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

    def normalise_maps(self, raw: Sequence[Tensor]) -> list[Tensor]:
        """Return the maps of `compute_raw_maps`, normalised, all on the student's cells.

        A memory bank's is cut off below its low quantile: its coarse cells are no reason to rank good pixels otherwise
        than the fine maps do (docs/decisions/0020).
        """
        student, autoencoder, *banks = (
            apply_quantiles(one, self.quantiles[index, 0], self.quantiles[index, 1]) for index, one in enumerate(raw)
        )
        cells = (int(student.shape[-2]), int(student.shape[-1]))
        if autoencoder.shape != student.shape:
            autoencoder = resize_cells(autoencoder, cells)
        return [student, autoencoder, *(spread_cells(F.relu(bank), cells) for bank in banks)]

    def set_region(self, region: NDArray[np.bool_] | None) -> None:
        """Judge the pixels of a region (H, W) alone, which has the size of the images; None judges everything."""
        self.region = torch.ones((), dtype=torch.bool) if region is None else torch.from_numpy(region)

    def add_banks(self, banks: Sequence[MemoryBank]) -> None:
        """Add branches; all quantiles are then to be set anew."""
        self.memory_banks.extend(banks)
        self.quantiles = _build_quantiles(len(self.memory_banks)).to(self.quantiles.device)

    def set_quantiles(self, quantiles: Sequence[Quantiles]) -> None:
        """Set those of each of `list_branches`, in its order; ValueError where there are more or fewer."""
        if len(quantiles) != len(self.quantiles):
            raise ValueError(f"expected quantiles of {len(self.quantiles)} branches, got {len(quantiles)}")
        self.quantiles.copy_(torch.tensor([[one.low, one.high] for one in quantiles]))


def _build_quantiles(banks: int) -> Tensor:
    """Return 0 and 1 for student, autoencoder and each memory bank, (2 + banks, 2)."""
    return torch.tensor([[0.0, 1.0]]).repeat(2 + banks, 1)
