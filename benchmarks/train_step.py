"""Times a training step of Algorithm 1, by its plain formulas and by this project's code, in one run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from timing import measure_peak
from torch import Tensor

from efficientad.deploy.timing import time_repeatedly
from efficientad.model.pdn import split_student
from efficientad.model.student_teacher import StudentTeacher
from efficientad.pipeline.cache import locate_cache
from efficientad.pipeline.params_file import load_params
from efficientad.training.detection.batches import DetectionBatch
from efficientad.training.detection.detector import compute_losses, group_parameters
from efficientad.training.detection.tiles import choose_tile
from efficientad.training.engine.allocator import keep_freed_memory
from efficientad.training.engine.losses import compute_feature_loss, compute_hard_feature_loss, compute_penalty_loss
from efficientad.training.engine.precision import settle_precision

REPEATS = 15


def build_batch(parts: int, image: Tensor, jittered: Tensor, penalty: Tensor, features: Tensor) -> DetectionBatch:
    """Return a step's batch with tiles of `parts` a side."""
    tile = choose_tile((image.shape[-2], image.shape[-1]), parts, np.random.default_rng(0))
    image, jittered, penalty, features = (
        tensor.contiguous(memory_format=torch.channels_last)
        for tensor in (image, jittered, tile.crop_image(penalty), features)
    )
    return DetectionBatch(image, jittered, penalty, None, features, tile, tile, (0,), (0,))


def compute_plain_loss(detector: StudentTeacher, image: Tensor, jittered: Tensor, penalty: Tensor) -> Tensor:
    """Return Algorithm 1's loss by its formulas: three passes of the student, two of the teacher."""

    def compute_features(normalised: Tensor) -> Tensor:
        with torch.no_grad():
            return detector.normalise_features(detector.teacher(normalised))

    image, jittered, penalty = (detector.normaliser(pixels) for pixels in (image, jittered, penalty))
    teacher = compute_features(image)
    predicted, _ = split_student(detector.student(image))
    loss = compute_hard_feature_loss(teacher, predicted, 0.999)
    loss = loss + compute_penalty_loss(split_student(detector.student(penalty))[0])
    reconstruction = detector.autoencoder(jittered, (teacher.shape[-2], teacher.shape[-1]), [np.random.default_rng(0)])
    loss = loss + compute_feature_loss(compute_features(jittered), reconstruction)
    return loss + compute_feature_loss(reconstruction, split_student(detector.student(jittered))[1])


def time_steps(detector: StudentTeacher, compute: Callable[[], Tensor], bfloat16: bool) -> float:
    """Return the median milliseconds of loss, gradient and a step of Adam."""
    optimiser = torch.optim.Adam(group_parameters(detector, 1e-6), lr=1e-6, fused=True)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            loss = compute()
        torch.autograd.backward(loss)
        optimiser.step()
        optimiser.zero_grad()

    return float(np.median(time_repeatedly(step, REPEATS)))


def count_multiplications(detector: StudentTeacher, compute: Callable[[], Tensor]) -> float:
    """Return the multiplications of a step's convolutions and matrix products, in 1e9."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        torch.autograd.backward(compute())
    detector.zero_grad()
    return float(counter.get_total_flops() / 2 / 1e9)


def measure_train_step() -> dict[str, Any]:
    """Return the section `train_step`: batch 1 at 256 px, size S, the optimiser's step included.

    plain: float32, three student passes, contiguous memory. fast: the same losses, in the precision that `auto` means
    here. unbiased: the same on average, with the tiles of train.cpu. preset: with its shared convolutions, too.
    """
    recipe = load_params().train.cpu
    bfloat16 = settle_precision("auto", locate_cache()) == "bf16"
    torch.manual_seed(0)
    images = [torch.rand(1, 3, 256, 256) for _ in range(3)]
    features = torch.randn(1, 384, 56, 56, dtype=torch.bfloat16 if bfloat16 else torch.float32)
    detector = StudentTeacher("S").train()
    plain_ms = time_steps(detector, lambda: compute_plain_loss(detector, *images), bfloat16=False)
    keep_freed_memory()
    timings = {"plain_fp32_ms": plain_ms}
    shares = {}
    peak = measure_peak(torch.bfloat16 if bfloat16 else torch.float32)
    cases = {
        "fast": (0, 1),
        "unbiased": (0, recipe.penalty_tiles),
        "preset": (recipe.shared_convolutions, recipe.penalty_tiles),
    }
    for name, (shared, parts) in cases.items():
        candidate = StudentTeacher("S", shared).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        batch = build_batch(parts, images[0], images[1], images[2], features)

        def compute(candidate: StudentTeacher = candidate, batch: DetectionBatch = batch) -> Tensor:
            return torch.stack(list(compute_losses(candidate, batch, 0.999).values())).sum()

        timings[f"{name}_ms"] = time_steps(candidate, compute, bfloat16)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            work = count_multiplications(candidate, compute)
        shares[name] = work / (timings[f"{name}_ms"] * 1e-3) / peak
    return {
        **{name: round(value, 1) for name, value in timings.items()},
        "ratio": round(plain_ms / timings["fast_ms"], 2),
        "unbiased_ratio": round(plain_ms / timings["unbiased_ms"], 2),
        "preset_ratio": round(plain_ms / timings["preset_ms"], 2),
        "peak_gmac_per_s": round(peak, 1),
        "peak_share": round(shares["fast"], 3),
        "unbiased_peak_share": round(shares["unbiased"], 3),
        "preset_peak_share": round(shares["preset"], 3),
    }
