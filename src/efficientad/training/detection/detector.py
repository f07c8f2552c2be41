"""Training the student and the autoencoder against a frozen teacher (arXiv 2303.14535, Algorithm 1)."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientad.model.cells import count_cells
from efficientad.model.pdn import TEACHER_CHANNELS
from efficientad.model.sizes import PDNSize
from efficientad.model.student_teacher import StudentTeacher
from efficientad.pipeline.params import TrainParams
from efficientad.training.detection.batches import DetectionBatch, DetectionSteps, Draws, TrainingImages
from efficientad.training.detection.hard_sampling import HardSampling, weigh_losses
from efficientad.training.detection.teacher_features import keep_features
from efficientad.training.engine.kernels import compute_head_hard_loss, run_layers
from efficientad.training.engine.loop import LossLog, run_training
from efficientad.training.engine.losses import compute_feature_loss, compute_penalty_loss
from efficientad.training.engine.schedules import build_optimiser, find_hard_quantile
from efficientad.training.engine.workers import Share, find_workers, first_alone, gather

PENALTY_GREY_PROBABILITY = 0.3  # of a photograph that the student must not know (Algorithm 1)
LOSSES = ("hard_loss", "penalty_loss", "autoencoder_loss", "student_autoencoder_loss")


class DetectionModule(L.LightningModule):
    """One step of Algorithm 1 on a `DetectionBatch`; the teacher stays as it is.

    For hard-example sampling it keeps the last hard loss of each of the `images` normal training images, infinite
    before it was seen.
    """

    last_losses: Tensor
    sampling_losses: Tensor  # the last ones at the end of a segment

    def __init__(self, detector: StudentTeacher, params: TrainParams, images: int) -> None:
        super().__init__()
        self.detector = detector
        self.params = params
        self.register_buffer("last_losses", torch.full((images,), torch.inf))
        self.register_buffer("sampling_losses", torch.full((images,), torch.inf))

    def training_step(self, batch: DetectionBatch, batch_idx: int) -> dict[str, Tensor]:
        """Return the four losses and their sum, each a scalar."""
        recipe = self.params.recipe
        quantile = find_hard_quantile(recipe, self.global_step)
        losses = compute_losses(self.detector, batch, quantile, recipe.penalty_weight, recipe.autoencoder_stop_gradient)
        self._note_hard_loss(batch.samples, losses["hard_loss"].detach())
        total = torch.stack(list(losses.values())).sum()
        return {"loss": total, **{name: loss.detach() for name, loss in losses.items()}}

    def _note_hard_loss(self, samples: tuple[int, ...], loss: Tensor) -> None:
        """Note the mean of a batch for each of its images, those of all processes alike."""
        all_samples = gather(torch.tensor(samples, device=loss.device))
        self.last_losses[all_samples] = gather(loss[None]).mean()

    def plan_hard_sampling(self, step: int) -> HardSampling | None:
        """Return the hard-example sampling from `step` on; None before every image was seen.

        It uses the losses at the end of the last segment of `checkpoint_every` steps: a resumed training asks in the
        middle of a segment, too, and must draw what the uninterrupted one draws.
        """
        if step % self.params.checkpoint_every == 0:
            self.sampling_losses.copy_(self.last_losses)
        losses = self.sampling_losses.double().cpu().numpy()
        return weigh_losses(losses, self.params.recipe.hard_sampling_fraction)

    def configure_optimizers(self) -> Any:
        """Return the recipe's optimiser over student and autoencoder; the teacher has no gradient."""
        groups = group_parameters(self.detector, self.params.recipe.autoencoder_learning_rate)
        return build_optimiser(groups, self.params.recipe, self.params.precision)


def group_parameters(detector: StudentTeacher, autoencoder_rate: float) -> list[dict[str, Any]]:
    """Return what is trained, in groups: the student's trunk, its last convolution, and the autoencoder.

    Each half of the last convolution is a matrix of its own to Muon; the autoencoder has a rate of its own.
    """
    *trunk, head = detector.student
    return [
        {"params": [parameter for layer in trunk for parameter in layer.parameters()]},
        {"params": list(head.parameters()), "rows": TEACHER_CHANNELS},
        {"params": list(detector.autoencoder.parameters()), "lr": autoencoder_rate},
    ]


def compute_losses(
    detector: StudentTeacher,
    batch: DetectionBatch,
    hard_quantile: float,
    penalty_weight: float = 1.0,
    autoencoder_stop_gradient: bool = False,
) -> dict[str, Tensor]:
    """Return the losses named in `LOSSES` of one batch.

    They are Algorithm 1's, with less work. Images of one size share a pass, and student and teacher share the layers
    that they have in common. Of the student's last convolution only that half is computed which the loss on an image
    needs. The teacher computes only those features that the batch does not bring. Where the batch names a part of an
    image (`tiles.Tile`), the mean over this part stands for the mean over the whole.

    With `autoencoder_stop_gradient` the loss between the student's second half and the autoencoder has no gradient for
    the autoencoder. It learns from the teacher alone, on the whole map: from the jittered image it predicts the
    teacher's features of the image as it is, which are at hand. Of an image larger than 256 px only a piece's are; its
    target is the teacher's features of the jittered whole image.
    """
    image, jittered, penalty = map(detector.normaliser, (batch.image, batch.jittered, batch.penalty))
    tile, layers = batch.tile, list(detector.teacher)
    trunk, rest = layers[: detector.shared_layers], layers[detector.shared_layers :]
    with torch.no_grad():
        shared = run_together(trunk, [image, tile.crop_image(jittered), penalty])
        unfinished = shared[:1] if batch.features is None else []  # of the image
        if not autoencoder_stop_gradient:
            unfinished = [*unfinished, shared[1]]
        elif batch.is_piece:
            unfinished = [*unfinished, *run_together(trunk, [jittered])]
        kept = [] if batch.features is None else [batch.features]
        features = [detector.normalise_features(raw).float() for raw in [*kept, *run_together(rest, unfinished)]]
        teacher, target = features[0], features[-1]
    hidden, hidden_part, hidden_penalty = run_together(list(detector.student)[:-1], shared)
    head = detector.student[-1]
    assert isinstance(head, nn.Conv2d)
    assert head.bias is not None
    weight, bias = cast_once(head.weight), cast_once(head.bias)
    first, second = slice(0, TEACHER_CHANNELS), slice(TEACHER_CHANNELS, None)
    generators = [np.random.default_rng(seed) for seed in batch.dropout_seeds] if detector.training else None
    map_size = (count_cells(jittered.shape[-2]), count_cells(jittered.shape[-1]))
    reconstruction = detector.autoencoder(jittered, map_size, generators).float()
    part = tile.crop_features(reconstruction)
    student_part = F.conv2d(hidden_part, weight[second], bias[second]).float()
    student_penalty = F.conv2d(hidden_penalty, weight[first], bias[first]).float()
    penalty_loss = compute_penalty_loss(student_penalty, batch.penalty_cells)
    if autoencoder_stop_gradient:
        autoencoder_loss, part = compute_feature_loss(target, reconstruction), part.detach()
    else:
        autoencoder_loss = compute_feature_loss(target, part) * tile.weight
    return {
        "hard_loss": compute_head_hard_loss(hidden, weight[first], bias[first], teacher, hard_quantile),
        "penalty_loss": penalty_loss * (batch.penalty_tile.weight * penalty_weight),
        "autoencoder_loss": autoencoder_loss,
        "student_autoencoder_loss": compute_feature_loss(part, student_part) * tile.weight,
    }


def run_together(layers: Iterable[nn.Module], images: Sequence[Tensor]) -> list[Tensor]:
    """Run the layers of a patch description network on each of the images, those of one shape in one pass."""
    results: dict[int, Tensor] = {}
    for shape in dict.fromkeys(image.shape for image in images):
        alike = [index for index, image in enumerate(images) if image.shape == shape]
        features = run_layers(layers, torch.cat([images[index] for index in alike]))
        results.update(zip(alike, features.chunk(len(alike)), strict=True))
    return [results[index] for index in range(len(images))]


def cast_once(parameter: Tensor) -> Tensor:
    """Return a parameter in autocast's precision, so that its parts need no cast each."""
    kind = parameter.device.type
    return parameter.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else parameter


def train_detector(
    size: PDNSize, teacher: nn.Sequential, data: TrainingImages, params: TrainParams, seed: int, scratch: Path
) -> tuple[StudentTeacher, LossLog]:
    """Train student and autoencoder of a new detector.

    An interrupted training with the same `scratch` folder goes on from its last checkpoint. Returns the
    detector and its losses.
    """
    recipe = params.recipe
    find_workers().share.cut(recipe.batch_size)  # an uneven one is an error now, not after the features
    torch.manual_seed(seed)
    detector = StudentTeacher(size, recipe.shared_convolutions)
    detector.teacher.load_state_dict(teacher.state_dict())
    with first_alone():
        data = keep_features(detector, data, params, scratch)
    draws = Draws(
        recipe.batch_size,
        PENALTY_GREY_PROBABILITY,
        seed,
        recipe.autoencoder_tiles,
        recipe.penalty_tiles,
        recipe.penalty_defects,
    )
    module = DetectionModule(detector.train(), params, len(data.normals))

    def build_steps(first: int, count: int, share: Share) -> DetectionSteps:
        return DetectionSteps(data, draws, first, count, share, module.plan_hard_sampling(first))

    log = run_training(module, build_steps, recipe.steps, params.checkpoint_every, params.precision, scratch)
    return detector, log
