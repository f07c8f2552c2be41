"""Training the student and the autoencoder against a frozen teacher (arXiv 2303.14535, Algorithm 1)."""

from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from efficientad.detector import Detector
from efficientad.networks.pdn import TEACHER_CHANNELS
from efficientad.params import PDNSize, TrainParams
from efficientad.training.autoencoder import train_autoencoder
from efficientad.training.batches import DetectionBatch, DetectionSteps
from efficientad.training.loop import LossLog, has_checkpoint, run_training
from efficientad.training.losses import (
    compute_feature_loss,
    compute_hard_feature_loss,
    compute_penalty_loss,
)
from efficientad.training.precision import uses_bfloat16
from efficientad.training.schedules import build_optimiser, find_hard_quantile
from efficientad.training.solve import solve_student
from efficientad.training.start import fit_teacher_statistics, start_student_from_teacher

LOSSES = ("hard_loss", "penalty_loss", "autoencoder_loss", "student_autoencoder_loss")


class DetectionModule(L.LightningModule):
    """One step of Algorithm 1 on a `DetectionBatch`; the teacher stays as it is."""

    def __init__(self, detector: Detector, params: TrainParams, seed: int) -> None:
        super().__init__()
        self.detector = detector
        self.params = params
        self.seed = seed

    def on_train_batch_start(self, batch: DetectionBatch, batch_idx: int) -> None:
        """Seed the autoencoder's dropout from the step, so that resuming needs no generator's state."""
        torch.manual_seed(self.seed * 1_000_003 + self.global_step)

    def training_step(self, batch: DetectionBatch, batch_idx: int) -> dict[str, Tensor]:
        """Return the four losses and their sum, each a scalar."""
        quantile = find_hard_quantile(self.params.recipe, self.global_step)
        losses = compute_losses(self.detector, batch, quantile)
        return {
            "loss": torch.stack(list(losses.values())).sum(),
            **{k: v.detach() for k, v in losses.items()},
        }

    def configure_optimizers(self) -> Any:
        """Adam and its schedule over student and autoencoder; the teacher has no gradient."""
        parameters = [p for p in self.detector.parameters() if p.requires_grad]
        return build_optimiser(parameters, self.params.recipe, self.params.precision)


def compute_losses(detector: Detector, batch: DetectionBatch, hard_quantile: float) -> dict[str, Tensor]:
    """Return the losses named in `LOSSES` of one batch.

    The teacher sees image and jittered image in one pass, the student those and the penalty image; of the
    student's last convolution only the half is computed that the loss on that image reads.
    """
    image, jittered = detector.normaliser(batch.image), detector.normaliser(batch.jittered)
    penalty = detector.normaliser(batch.penalty)
    with torch.no_grad():
        teacher = detector.describe_patches(torch.cat([image, jittered])).float()
    teacher_image, teacher_jittered = teacher.chunk(2)
    student_image, student_jittered, student_penalty = run_student(detector.student, image, jittered, penalty)
    map_size = (teacher.shape[-2], teacher.shape[-1])
    reconstruction = detector.autoencoder(jittered, map_size).float()
    return {
        "hard_loss": compute_hard_feature_loss(teacher_image, student_image, hard_quantile),
        "penalty_loss": compute_penalty_loss(student_penalty),
        "autoencoder_loss": compute_feature_loss(teacher_jittered, reconstruction),
        "student_autoencoder_loss": compute_feature_loss(reconstruction, student_jittered),
    }


def run_student(
    student: nn.Sequential, image: Tensor, jittered: Tensor, penalty: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the student's prediction of the teacher on `image`, of the autoencoder on `jittered`, and of
    the teacher on `penalty`, each (B, 384, h, w) float32, in one pass where the sizes allow it.
    """
    trunk, head = student[:-1], student[-1]
    assert isinstance(head, nn.Conv2d)
    if image.shape == penalty.shape:
        hidden = trunk(torch.cat([image, jittered, penalty]))
        hidden_image, hidden_jittered, hidden_penalty = hidden.chunk(3)
    else:
        hidden_image, hidden_jittered = trunk(torch.cat([image, jittered])).chunk(2)
        hidden_penalty = trunk(penalty)
    bias = head.bias
    assert bias is not None
    first, second = slice(0, TEACHER_CHANNELS), slice(TEACHER_CHANNELS, None)
    return (
        F.conv2d(hidden_image, head.weight[first], bias[first]).float(),
        F.conv2d(hidden_jittered, head.weight[second], bias[second]).float(),
        F.conv2d(hidden_penalty, head.weight[first], bias[first]).float(),
    )


def train_detector(
    size: PDNSize,
    teacher: nn.Sequential,
    images: NDArray[np.uint8],
    normals: NDArray[np.intp],
    penalties: NDArray[np.uint8],
    params: TrainParams,
    seed: int,
    scratch: Path,
) -> tuple[Detector, LossLog]:
    """Train student and autoencoder of a new detector on the rows `normals` of `images` (N, H, W, 3).

    `penalties` (P, 512, 512, 3) are pretraining images; both are uint8 RGB. An interrupted training with
    the same `scratch` folder goes on from its last checkpoint. Returns the detector and its losses.
    """
    torch.manual_seed(seed)
    recipe = params.recipe
    detector = Detector(size)
    detector.teacher.load_state_dict(teacher.state_dict())
    if not has_checkpoint(scratch):  # which holds all that comes before the first step, too
        fit_teacher_statistics(detector, images, normals, uses_bfloat16(params.precision))
        if recipe.autoencoder is not None:
            train_autoencoder(detector, images, normals, penalties, recipe.autoencoder, params, seed, scratch)
        if recipe.student_start != "random":
            start_student_from_teacher(detector)
        if recipe.solve is not None:
            solve_student(detector, images, normals, penalties, recipe.solve, params, seed, scratch)

    def build_steps(first: int, count: int) -> DetectionSteps:
        return DetectionSteps(
            images, normals, penalties, recipe.batch_size, params.penalty_grey_probability, seed, first, count
        )

    module = DetectionModule(detector.train(), params, seed)
    log = run_training(module, build_steps, recipe.steps, params.checkpoint_every, params.precision, scratch)
    return detector, log
