"""The teacher's features of the normal training images: their statistics, and a file of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from efficientad.data.arrays.pieces import cut_piece
from efficientad.data.arrays.rows import read_row
from efficientad.model.cells import count_cells
from efficientad.model.device import choose_device
from efficientad.model.inference import BATCH, iterate_batches
from efficientad.model.pdn import TEACHER_CHANNELS
from efficientad.model.resizing import view_whole
from efficientad.model.sizes import VIEW_PX
from efficientad.model.student_teacher import StudentTeacher
from efficientad.pipeline.params import TrainParams
from efficientad.training.detection.batches import TrainingImages
from efficientad.training.engine.features import FeatureFile, write_features
from efficientad.training.engine.precision import uses_bfloat16
from efficientad.training.engine.tensors import convert_to_tensor


def keep_features(detector: StudentTeacher, data: TrainingImages, params: TrainParams, scratch: Path) -> TrainingImages:
    """Set the detector's channel statistics from all normal training images; keep the teacher's features of them.

    At most `params.cache_gb` of them go to `scratch`, in the precision of the training. An image larger than 256 px
    counts with a piece of it and with the whole image at 256 px, and its features are not kept.
    """
    device = choose_device()
    detector.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    bfloat16 = uses_bfloat16(params.precision)
    height, width = data.images.shape[1:3]
    is_large = max(height, width) > VIEW_PX
    shape = (TEACHER_CHANNELS, count_cells(height), count_cells(width))
    file = FeatureFile(scratch / "teacher.bin", shape, torch.bfloat16 if bfloat16 else torch.float32, 0)
    affordable = 0 if is_large else int(params.cache_gb * 1e9) // file.row_bytes
    file = replace(file, kept=min(len(data.normals), affordable))

    def compute(rows: slice) -> Tensor:
        if is_large:
            image = _load_large_images(data, rows).to(device)
        else:
            (image,) = iterate_batches(data.images, data.normals[rows])
        features: Tensor = detector.teacher(detector.normaliser(image))
        return torch.cat(features.chunk(2), dim=-1) if is_large else features

    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        mean, std = write_features(compute, len(data.normals), BATCH, file, "the teacher's features")
    detector.teacher_mean.copy_(mean)
    detector.teacher_std.copy_(std)
    return replace(data, features=file)


def _load_large_images(data: TrainingImages, rows: slice) -> Tensor:
    """Return a piece of each of these normal images, then each whole image at 256 px."""
    pieces, wholes = [], []
    for row in data.normals[rows]:
        image = read_row(data.images, row)
        piece = cut_piece(image, (VIEW_PX, VIEW_PX), np.random.default_rng(int(row)))
        pieces.append(convert_to_tensor(piece[None]))
        wholes.append(view_whole(convert_to_tensor(image[None])))
    return torch.cat([*pieces, *wholes])
