"""Distilling a PDN teacher from a frozen ImageNet backbone (arXiv 2303.14535, Algorithm 3)."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from efficientad.data.arrays.pretraining import Pretraining
from efficientad.data.arrays.row_file import RowFile, continue_array
from efficientad.data.arrays.rows import read_row
from efficientad.data.arrays.samples import hold_out
from efficientad.model.cells import count_cells
from efficientad.model.device import choose_device
from efficientad.model.normaliser import ImageNormaliser
from efficientad.model.pdn import TEACHER_CHANNELS, build_pdn
from efficientad.model.sizes import PDNSize
from efficientad.pipeline.params import DistillParams
from efficientad.pipeline.progress import track
from efficientad.teacher.backbones import TEACHER_IMAGE_PX, Backbone, build_backbone, compute_targets
from efficientad.training.distillation.batches import DistillationBatch, DistillationSteps
from efficientad.training.engine.augment import convert_to_grey
from efficientad.training.engine.features import FeatureFile, locate_mark, write_features
from efficientad.training.engine.kernels import run_layers
from efficientad.training.engine.loop import LossLog, run_training
from efficientad.training.engine.losses import compute_feature_loss
from efficientad.training.engine.schedules import build_optimiser
from efficientad.training.engine.tensors import convert_to_tensor
from efficientad.training.engine.workers import Share, find_workers, first_alone

GREY_PROBABILITY = 0.1  # of an image (Algorithm 3)
_BACKBONE_BATCH = 4


class Targets(NamedTuple):
    """The teacher's images, (N, 256, 256, 3) uint8, the backbone's features of them, and what normalises these."""

    images: NDArray[np.uint8]
    features: FeatureFile
    mean: Tensor  # (1, 384, 1, 1)
    std: Tensor


class DistillationModule(L.LightningModule):
    """One step: the teacher's features of an image against the backbone's normalised ones."""

    def __init__(self, teacher: nn.Sequential, params: DistillParams) -> None:
        super().__init__()
        self.normaliser = ImageNormaliser()
        self.teacher = teacher
        self.params = params

    def training_step(self, batch: DistillationBatch, batch_idx: int) -> dict[str, Tensor]:
        """Return the mean squared error over a `DistillationBatch`."""
        features = run_layers(self.teacher, self.normaliser(batch.image)).float()
        return {"loss": compute_feature_loss(batch.target, features)}

    def configure_optimizers(self) -> Any:
        """Return the optimiser of `params` over the teacher."""
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

    All crops of one photograph are on one side: no held-out photograph was seen in another crop.
    """
    chosen = hold_out(photographs, fraction, seed)
    held_out = np.array([name in chosen for name in photographs])
    return np.flatnonzero(held_out), np.flatnonzero(~held_out)


def write_targets(
    backbone: Backbone, images: NDArray[np.uint8], grey: NDArray[np.bool_], scratch: Path, device: torch.device
) -> Targets:
    """Compute the backbone's features of all images once and keep them on disk, 2.4 MB an image.

    `images` is (N, 512, 512, 3) uint8 RGB. Writes below `scratch`; an interrupted pass goes on where it left off.
    """
    count = len(images)
    path = scratch / "images.npy"
    shape = (count, TEACHER_IMAGE_PX, TEACHER_IMAGE_PX, 3)
    backbone = backbone.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    cells = count_cells(TEACHER_IMAGE_PX)
    file = FeatureFile(scratch / "targets.bin", (TEACHER_CHANNELS, cells, cells), torch.float16, kept=count)

    def compute(rows: slice, halves: RowFile) -> Tensor:
        image = convert_to_tensor(np.stack([read_row(images, index) for index in range(rows.start, rows.stop)]))
        image = torch.where(torch.from_numpy(grey[rows]).view(-1, 1, 1, 1), convert_to_grey(image), image)
        half = torch.nn.functional.avg_pool2d(image, 2)  # 512 -> 256, by area as `resize_image` does
        for index, row in enumerate((half * 255).round().byte().permute(0, 2, 3, 1).numpy(), start=rows.start):
            halves[index] = row
        return compute_targets(backbone, image.to(device))

    with continue_array(path, np.uint8, shape) as (halves, is_whole), torch.inference_mode():
        if not is_whole:  # of features whose images are gone nothing is left to go on from
            locate_mark(file).unlink(missing_ok=True)
        label = "the backbone's features"
        mean, std = write_features(partial(compute, halves=halves), count, _BACKBONE_BATCH, file, label, halves.sync)
    return Targets(np.load(path, mmap_mode="r"), file, mean, std)


def measure_teacher(teacher: nn.Sequential, targets: Targets, indices: NDArray[np.intp], device: torch.device) -> float:
    """Return the teacher's mean squared error on the images `indices`, in variances of the targets' channels.

    1 is what a teacher would reach that only knows each channel's mean.
    """
    normaliser = ImageNormaliser().to(device)
    teacher = teacher.to(device).eval()
    errors = []
    with torch.inference_mode():
        for index in track(indices, "the teacher on held-out images"):
            image = convert_to_tensor(read_row(targets.images, index)[None])
            features = teacher(normaliser(image.to(device))).cpu()
            target = (targets.features.read(index)[None].float() - targets.mean) / targets.std
            errors.append(float(compute_feature_loss(target, features)))
    return float(np.mean(errors))


def distill_teacher(
    size: PDNSize, pretraining: Pretraining, params: DistillParams, scratch: Path
) -> tuple[nn.Sequential, LossLog, float]:
    """Distil a teacher of `size` from the backbone that `params` names.

    A seeded `held_out_fraction` of the photographs is not trained on (see `hold_out_photographs`). Returns the
    teacher, its losses and its error on the held-out images (see `measure_teacher`). An interrupted
    distillation with the same `scratch` folder goes on from its last checkpoint.
    """
    find_workers().share.cut(params.batch_size)  # an uneven one is an error now, not after the features
    checkpoint = None if params.checkpoint is None else Path(params.checkpoint)
    device = choose_device()
    grey = choose_grey(len(pretraining.images), GREY_PROBABILITY, params.seed)
    with first_alone():
        backbone = build_backbone(params.backbone, checkpoint)
        targets = write_targets(backbone, pretraining.images, grey, scratch, device)
    held_out, trained = hold_out_photographs(pretraining.photographs, params.held_out_fraction, params.seed)

    def build_steps(first: int, count: int, share: Share) -> DistillationSteps:
        return DistillationSteps(
            targets.images, targets.features, trained, targets.mean, targets.std, params.batch_size, params.seed,
            first, count, share,
        )  # fmt: skip

    torch.manual_seed(params.seed)
    module = DistillationModule(build_pdn(size, TEACHER_CHANNELS), params)
    log = run_training(module, build_steps, params.steps, params.checkpoint_every, params.precision, scratch)
    return module.teacher, log, measure_teacher(module.teacher, targets, held_out, device)
