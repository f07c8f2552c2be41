"""How well features tell defects from good parts before any student is trained: PatchCore on the teacher.

Every patch of a test image is scored by its squared distance to the nearest of a bank of patches from normal
training images (Roth et al., CVPR 2022, section 3). A student is trained to know just those patches, so that this
is about what to hope for from a student of that teacher. Minutes instead of a training; for choosing teachers,
backbones and images. It reads the test split, so what it chose is no longer tested there.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from efficientad.calibration.coreset import ComputeFeatures, choose_coreset, sample_patches
from efficientad.data.arrays.prepared import Prepared
from efficientad.errors import DataError
from efficientad.evaluation.image_level import compute_image_metrics
from efficientad.evaluation.pixel_level import compute_au_pro
from efficientad.model.device import choose_device
from efficientad.model.inference import iterate_batches
from efficientad.model.maps import upscale_map
from efficientad.model.memory_bank import compute_nearest_map
from efficientad.model.normaliser import ImageNormaliser
from efficientad.model.sizes import PDNSize
from efficientad.model.weights import load_teacher
from efficientad.teacher.backbones import BACKBONE_IMAGE_PX, TEACHER_IMAGE_PX, Backbone, compute_targets


@dataclass(frozen=True)
class ProbeParams:
    """patches_per_image are drawn of each normal image, and bank_size of all of them are kept."""

    patches_per_image: int = 700
    bank_size: int = 12_000
    seed: int = 0


def build_teacher_features(path: Path, size: PDNSize) -> ComputeFeatures:
    """Return the features of a teacher's weights file; raises ModelError as `load_teacher`."""
    device = choose_device()
    teacher, normaliser = load_teacher(path, size).to(device), ImageNormaliser().to(device)
    return lambda image: teacher(normaliser(image))


def build_backbone_features(backbone: Backbone) -> ComputeFeatures:
    """Return a backbone's features as distillation hands them to the teacher: what a perfect one would compute."""
    backbone = backbone.to(choose_device())
    scale = BACKBONE_IMAGE_PX // TEACHER_IMAGE_PX

    def compute(image: Tensor) -> Tensor:
        if image.shape[-2:] != (TEACHER_IMAGE_PX, TEACHER_IMAGE_PX):
            raise DataError(
                f"expected images of {TEACHER_IMAGE_PX} px for a backbone, got {tuple(image.shape[-2:])}; "
                f"prepare the category with data.image_size: {TEACHER_IMAGE_PX}"
            )
        return compute_targets(backbone, F.interpolate(image, scale_factor=scale, mode="bilinear"))

    return compute


def probe_features(compute_features: ComputeFeatures, prepared: Prepared, params: ProbeParams) -> dict[str, float]:
    """Return image_auroc, image_ap and image_f1_max, and au_pro where masks are known, of the nearest-patch distance.

    Raises DataError without training images, MetricError without normal or without anomalous test images.
    """
    train, test = prepared.indices("train"), prepared.indices("test")
    if not len(train):
        raise DataError("expected normal training images in the prepared folder, found none; prepare it again")
    with torch.inference_mode():
        (patches,) = sample_patches(
            lambda image: [compute_features(image)], prepared.images, train, params.patches_per_image, params.seed
        )
        mean, std = patches.mean(0), patches.std(0).clamp(min=1e-6)
        patches = (patches - mean) / std
        bank = patches[choose_coreset(patches, params.bank_size, params.seed)]
        maps = []
        for image in iterate_batches(prepared.images, test):
            features = (compute_features(image).float() - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
            maps += [compute_nearest_map(one[None], bank).cpu() for one in features]
    cells = torch.cat(maps)
    scores = cells.amax(dim=(1, 2, 3)).numpy()
    found = compute_image_metrics(scores, np.array([prepared.rows[index].label for index in test]))
    known = [place for place, index in enumerate(test) if prepared.rows[index].mask or not prepared.rows[index].label]
    masks = prepared.masks[test[known]]
    if masks.any():
        found["au_pro"] = compute_au_pro(upscale_map(cells[known], prepared.size)[:, 0].numpy(), masks)
    return found
