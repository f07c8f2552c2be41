"""Training the student and the autoencoder against a frozen teacher (arXiv 2303.14535, Algorithm 1)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientad.data.arrays.pieces import cut_piece
from efficientad.data.arrays.rows import read_row
from efficientad.model.cells import count_cells
from efficientad.model.detector import Detector
from efficientad.model.device import choose_device
from efficientad.model.inference import BATCH, iterate_batches
from efficientad.model.pdn import TEACHER_CHANNELS
from efficientad.model.resizing import view_whole
from efficientad.model.sizes import VIEW_PX, PDNSize
from efficientad.pipeline.params import TrainParams
from efficientad.training.detection.batches import DetectionBatch, DetectionSteps, Draws, TrainingImages
from efficientad.training.engine.features import FeatureFile, write_features
from efficientad.training.engine.kernels import compute_head_hard_loss, run_layers
from efficientad.training.engine.loop import LossLog, run_training
from efficientad.training.engine.losses import compute_feature_loss, compute_penalty_loss
from efficientad.training.engine.order import Replay
from efficientad.training.engine.precision import uses_bfloat16
from efficientad.training.engine.schedules import build_optimiser, find_hard_quantile
from efficientad.training.engine.tensors import convert_to_tensor
from efficientad.training.engine.workers import Share, find_workers, first_alone, gather

_REPLAY_POWER = 1.5  # of the last hard loss: twice the loss is drawn 2.8 times as often
PENALTY_GREY_PROBABILITY = 0.3  # of a photograph that the student must not know (Algorithm 1)
LOSSES = ("hard_loss", "penalty_loss", "autoencoder_loss", "student_autoencoder_loss")


class DetectionModule(L.LightningModule):
    """One step of Algorithm 1 on a `DetectionBatch`; the teacher stays as it is.

    It keeps the last hard loss of each of the `images` normal training images, infinite before it was seen: rare
    structures of good parts stand in few images, which are to be drawn more often (`plan_replay`).
    """

    last_losses: Tensor
    replay_losses: Tensor

    def __init__(self, detector: Detector, params: TrainParams, images: int) -> None:
        super().__init__()
        self.detector = detector
        self.params = params
        self.register_buffer("last_losses", torch.full((images,), torch.inf))
        self.register_buffer("replay_losses", torch.full((images,), torch.inf))

    def training_step(self, batch: DetectionBatch, batch_idx: int) -> dict[str, Tensor]:
        """Return the four losses and their sum, each a scalar."""
        quantile = find_hard_quantile(self.params.recipe, self.global_step)
        recipe = self.params.recipe
        losses = compute_losses(self.detector, batch, quantile, recipe.penalty_weight, recipe.autoencoder_leads)
        self._note_hard_loss(batch.samples, losses["hard_loss"].detach())
        return {
            "loss": torch.stack(list(losses.values())).sum(),
            **{k: v.detach() for k, v in losses.items()},
        }

    def _note_hard_loss(self, samples: tuple[int, ...], loss: Tensor) -> None:
        """Note the mean of a batch for each of its images, those of all processes alike."""
        chosen = gather(torch.tensor(samples, device=loss.device))
        self.last_losses[chosen] = gather(loss[None]).mean()

    def plan_replay(self, step: int) -> Replay | None:
        """Return how hard images are drawn again from `step` on; None before every image was seen.

        Losses are looked at every `checkpoint_every` steps, so that a resumed training, which may ask in between,
        goes on as the one that was not interrupted.
        """
        if step % self.params.checkpoint_every == 0:
            self.replay_losses.copy_(self.last_losses)
        weights = self.replay_losses.double().cpu().numpy() ** _REPLAY_POWER
        share = self.params.recipe.replay_fraction
        return Replay(weights, share) if share > 0 and np.isfinite(weights).all() else None

    def configure_optimizers(self) -> Any:
        """Return the recipe's optimiser over student and autoencoder; the teacher has no gradient."""
        groups = group_parameters(self.detector, self.params.recipe.autoencoder_learning_rate)
        return build_optimiser(groups, self.params.recipe, self.params.precision)


def group_parameters(detector: Detector, autoencoder_rate: float) -> list[dict[str, Any]]:
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
    detector: Detector,
    batch: DetectionBatch,
    hard_quantile: float,
    penalty_weight: float = 1.0,
    autoencoder_leads: bool = False,
) -> dict[str, Tensor]:
    """Return the losses named in `LOSSES` of one batch.

    The same as Algorithm 1's, with less work: images of one size share a pass, and student and teacher the layers that
    they have in common; of the student's last convolution only the half is computed that the loss on that image reads;
    the teacher is asked only for what was not kept of it; and where the batch names a part of an image (`tiles.Tile`),
    the mean over that part stands for the whole's.

    With `autoencoder_leads` the autoencoder learns from the teacher alone and not from the student's half that follows
    it, and on the whole map: what the teacher says of the image as it is, whose features are at hand, is what it is to
    say of the jittered one. Of a large image, of which they are of a piece, it is what the teacher says of the view.
    """
    image, jittered, penalty = (detector.normaliser(one) for one in (batch.image, batch.jittered, batch.penalty))
    tile, layers = batch.tile, list(detector.teacher)
    trunk, rest = layers[: detector.shared_layers], layers[detector.shared_layers :]
    with torch.no_grad():
        shared = run_together(trunk, [image, tile.crop_image(jittered), penalty])
        wanted = shared[:1] if batch.features is None else []  # of the image
        if not autoencoder_leads:
            wanted = [*wanted, shared[1]]
        elif batch.is_piece:
            wanted = [*wanted, *run_together(trunk, [jittered])]
        kept = [] if batch.features is None else [batch.features]
        described = [detector.normalise_features(one).float() for one in [*kept, *run_together(rest, wanted)]]
        teacher, target = described[0], described[-1]
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
    if autoencoder_leads:
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
) -> tuple[Detector, LossLog]:
    """Train student and autoencoder of a new detector.

    An interrupted training with the same `scratch` folder goes on from its last checkpoint. Returns the
    detector and its losses.
    """
    recipe = params.recipe
    find_workers().share.cut(recipe.batch_size)  # an uneven one is an error now, not after the features
    torch.manual_seed(seed)
    detector = Detector(size, recipe.shared_convolutions)
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
        return DetectionSteps(data, draws, first, count, share, module.plan_replay(first))

    log = run_training(module, build_steps, recipe.steps, params.checkpoint_every, params.precision, scratch)
    return detector, log


def keep_features(detector: Detector, data: TrainingImages, params: TrainParams, scratch: Path) -> TrainingImages:
    """Set the detector's channel statistics from all normal training images; keep the teacher's features of them.

    At most `params.cache_gb` of them go to `scratch`, in the precision of the training. Of images larger than the
    autoencoder's view the statistics are those of a piece of each and of its view, and nothing is kept.
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
            pieces = detector.teacher(detector.normaliser(_cut_pieces(data, rows).to(device)))
            return torch.cat(pieces.chunk(2), dim=-1)
        (image,) = iterate_batches(data.images, data.normals[rows])
        features: Tensor = detector.teacher(detector.normaliser(image))
        return features

    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        mean, std = write_features(compute, len(data.normals), BATCH, file, "the teacher's features")
    detector.teacher_mean.copy_(mean)
    detector.teacher_std.copy_(std)
    return replace(data, features=file)


def _cut_pieces(data: TrainingImages, rows: slice) -> Tensor:
    """Return a piece of each of these normal images, then the view of each."""
    pieces, views = [], []
    for row in data.normals[rows]:
        image = read_row(data.images, row)
        piece = cut_piece(image, (VIEW_PX, VIEW_PX), np.random.default_rng(int(row)))
        pieces.append(convert_to_tensor(piece[None]))
        views.append(view_whole(convert_to_tensor(image[None])))
    return torch.cat([*pieces, *views])
