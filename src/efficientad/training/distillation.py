"""Distilling a PDN teacher from a frozen ImageNet backbone (arXiv 2303.14535, Algorithm 3)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from efficientad.data.base import hold_out
from efficientad.data.pretraining.write import Pretraining
from efficientad.detector import ImageNormaliser
from efficientad.inference import choose_device
from efficientad.networks.backbones import TEACHER_IMAGE_PX, Backbone, build_backbone, compute_targets
from efficientad.networks.pdn import TEACHER_CHANNELS, build_pdn
from efficientad.params import DistillParams, PDNSize
from efficientad.training.augment import convert_to_grey
from efficientad.training.batches import DistillationBatch, DistillationSteps, convert_to_tensor
from efficientad.training.loop import LossLog, run_training
from efficientad.training.losses import compute_feature_loss
from efficientad.training.schedules import build_optimiser
from efficientad.training.statistics import ChannelStatistics

_TARGET_CELLS = 56
_BACKBONE_BATCH = 4
_CHECKPOINT_EVERY = 50  # steps


class DistillationModule(L.LightningModule):
    """One step: the teacher's features of an image against the backbone's normalised ones."""

    def __init__(self, teacher: nn.Sequential, params: DistillParams) -> None:
        super().__init__()
        self.normaliser = ImageNormaliser()
        self.teacher = teacher
        self.params = params

    def training_step(self, batch: DistillationBatch, batch_idx: int) -> dict[str, Tensor]:
        """Return the mean squared error over a `DistillationBatch`."""
        features = self.teacher(self.normaliser(batch.image)).float()
        return {"loss": compute_feature_loss(batch.target, features)}

    def configure_optimizers(self) -> Any:
        """Adam over the teacher."""
        return build_optimiser(self.teacher.parameters(), self.params, self.params.precision)


def choose_grey(count: int, probability: float, seed: int) -> NDArray[np.bool_]:
    """Choose, once and for all steps, which images the backbone and the teacher see in grey: (count,).

    Algorithm 3 draws it anew each step; drawn once, the backbone's features can be kept.
    """
    return np.random.default_rng([seed, count]).random(count) < probability


def hold_out_photographs(
    photographs: Sequence[str], fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of a seeded fraction of the photographs, and the other rows; both ascending.

    All pictures of one photograph stand on one side: what is held out was not seen in another crop.
    """
    chosen = hold_out(photographs, fraction, seed)
    held_out = np.array([name in chosen for name in photographs])
    return np.flatnonzero(held_out), np.flatnonzero(~held_out)


def write_targets(
    backbone: Backbone, images: NDArray[np.uint8], grey: NDArray[np.bool_], folder: Path, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Compute the backbone's features of all images once and keep them on disk.

    `images` is (N, 512, 512, 3) uint8 RGB. Writes `targets.npy` (N, 384, 56, 56) float16, at 2.4 MB an
    image, and `images.npy` (N, 256, 256, 3) uint8, what the teacher sees, below `folder`. Returns mean and
    standard deviation (1, 384, 1, 1) of the features over all images.
    """
    shape = (len(images), TEACHER_CHANNELS, _TARGET_CELLS, _TARGET_CELLS)
    targets = np.lib.format.open_memmap(folder / "targets.npy", "w+", np.float16, shape)
    views = np.lib.format.open_memmap(
        folder / "images.npy", "w+", np.uint8, (len(images), TEACHER_IMAGE_PX, TEACHER_IMAGE_PX, 3)
    )
    backbone = backbone.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    statistics = ChannelStatistics()
    with torch.inference_mode():
        for first in range(0, len(images), _BACKBONE_BATCH):
            rows = slice(first, first + _BACKBONE_BATCH)
            image = convert_to_tensor(images[rows])
            image = torch.where(torch.from_numpy(grey[rows]).view(-1, 1, 1, 1), convert_to_grey(image), image)
            features = compute_targets(backbone, image.to(device))
            statistics.update(features)
            targets[rows] = features.to("cpu", torch.float16).numpy()
            half = torch.nn.functional.avg_pool2d(image, 2)  # 512 -> 256, by area as `resize_image` does
            views[rows] = (half * 255).round().byte().permute(0, 2, 3, 1).numpy()
    targets.flush()
    views.flush()
    return statistics.finish()


def measure_teacher(
    teacher: nn.Sequential,
    images: NDArray[np.uint8],
    targets: NDArray[np.float16],
    indices: NDArray[np.intp],
    mean: Tensor,
    std: Tensor,
    device: torch.device,
) -> float:
    """Return the teacher's mean squared error on the images `indices`, in variances of the targets' channels.

    1 is what a teacher would reach that only knows each channel's mean.
    """
    normaliser = ImageNormaliser().to(device)
    teacher = teacher.to(device).eval()
    errors = []
    with torch.inference_mode():
        for index in indices:
            features = teacher(normaliser(convert_to_tensor(images[index][None]).to(device))).cpu()
            wanted = (torch.from_numpy(targets[index][None].astype(np.float32)) - mean) / std
            errors.append(float(compute_feature_loss(wanted, features)))
    return float(np.mean(errors))


def distill_teacher(
    size: PDNSize, pretraining: Pretraining, params: DistillParams, scratch: Path
) -> tuple[nn.Sequential, LossLog, float]:
    """Distil a teacher of `size` from the backbone that `params` names.

    A seeded `held_out_fraction` of the photographs is not trained on (see `hold_out_photographs`). Returns the
    teacher, its losses and its error on the held-out images (see `measure_teacher`). An interrupted
    distillation with the same `scratch` folder goes on from its last checkpoint.
    """
    checkpoint = None if params.checkpoint is None else Path(params.checkpoint)
    backbone = build_backbone(params.backbone, checkpoint)
    device = choose_device()
    images = pretraining.images
    grey = choose_grey(len(images), params.grey_probability, params.seed)
    mean, std = write_targets(backbone, images, grey, scratch, device)
    targets = np.load(scratch / "targets.npy", mmap_mode="r")
    views = np.load(scratch / "images.npy", mmap_mode="r")
    held_out, trained = hold_out_photographs(pretraining.photographs, params.held_out_fraction, params.seed)

    def build_steps(first: int, count: int) -> DistillationSteps:
        return DistillationSteps(views, targets, trained, mean, std, params.batch_size, params.seed, first, count)

    torch.manual_seed(params.seed)
    teacher = build_pdn(size, TEACHER_CHANNELS)
    module = DistillationModule(teacher, params)
    log = run_training(module, build_steps, params.steps, _CHECKPOINT_EVERY, params.precision, scratch)
    return teacher, log, measure_teacher(teacher, views, targets, held_out, mean, std, device)
