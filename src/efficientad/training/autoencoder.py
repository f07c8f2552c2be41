"""The autoencoder trained alone, before the student: a tenth of the work of a step of Algorithm 1."""

from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from efficientad.detector import Detector
from efficientad.params import AutoencoderParams, TrainParams
from efficientad.training.batches import DetectionBatch, DetectionSteps
from efficientad.training.loop import run_training
from efficientad.training.losses import compute_feature_loss
from efficientad.training.muon import Muon
from efficientad.training.precision import uses_bfloat16
from efficientad.training.schedules import build_schedule


class AutoencoderModule(L.LightningModule):
    """A step of L_AE alone (arXiv 2303.14535, Algorithm 1) on a `DetectionBatch`."""

    def __init__(self, detector: Detector, params: AutoencoderParams, precision: str, seed: int) -> None:
        super().__init__()
        self.detector = detector
        self.params = params
        self.precision = precision
        self.seed = seed

    def on_train_batch_start(self, batch: DetectionBatch, batch_idx: int) -> None:
        """Seed the dropout from the step, so that resuming needs no generator's state."""
        torch.manual_seed(self.seed * 1_000_003 + self.global_step)

    def training_step(self, batch: DetectionBatch, batch_idx: int) -> dict[str, Tensor]:
        """Return the autoencoder's loss, a scalar."""
        image = self.detector.normaliser(batch.jittered)
        with torch.no_grad():
            teacher = self.detector.describe_patches(image).float()
        reconstruction = self.detector.autoencoder(image, (teacher.shape[-2], teacher.shape[-1])).float()
        return {"loss": compute_feature_loss(teacher, reconstruction)}

    def configure_optimizers(self) -> Any:
        """Muon over the autoencoder, with a one-cycle rate."""
        dtype = torch.bfloat16 if uses_bfloat16(self.precision) else torch.float32
        optimiser = Muon(self.detector.autoencoder.parameters(), self.params.learning_rate, dtype)
        return build_schedule(optimiser, "one_cycle", self.params.learning_rate, self.params.steps)


def train_autoencoder(
    detector: Detector,
    images: NDArray[np.uint8],
    normals: NDArray[np.intp],
    penalties: NDArray[np.uint8],
    autoencoder: AutoencoderParams,
    params: TrainParams,
    seed: int,
    scratch: Path,
) -> None:
    """Train the autoencoder of `detector` in place; arguments as of `detection.train_detector`."""

    def build_steps(first: int, count: int) -> DetectionSteps:
        return DetectionSteps(
            images, normals, penalties, autoencoder.batch_size, params.penalty_grey_probability, seed, first, count
        )

    module = AutoencoderModule(detector, autoencoder, params.precision, seed)
    run_training(
        module, build_steps, autoencoder.steps, params.checkpoint_every, params.precision, scratch / "autoencoder"
    )
