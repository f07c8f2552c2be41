"""The student's last convolution at the optimum that its other layers allow.

What Algorithm 1 (arXiv 2303.14535) asks of it is quadratic: the teacher's features on normal images, nothing on
pretraining images, the autoencoder's features in its second half. The hard selection becomes a weight: a second
solution counts each place by the error that the first one left there.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from efficientad.detector import Detector
from efficientad.inference import choose_device, iterate_batches
from efficientad.maps import compute_distance_map
from efficientad.networks.pdn import TEACHER_CHANNELS
from efficientad.params import SolveParams, TrainParams
from efficientad.training.batches import crop_penalties
from efficientad.training.closed_form import PatchMoments, Sight, measure_moments, solve_weights, write_weights
from efficientad.training.precision import uses_bfloat16

_BATCH = 4
_SOME = 16  # images on which the mean error is measured that weights are relative to
WEIGHTS = (0.1, 100.0)  # of a place, in mean errors: the easy ones are not forgotten, and none rules alone
FIRST, SECOND = slice(0, TEACHER_CHANNELS), slice(TEACHER_CHANNELS, None)


def solve_student(
    detector: Detector,
    images: NDArray[np.uint8],
    normals: NDArray[np.intp],
    penalties: NDArray[np.uint8],
    solve: SolveParams,
    params: TrainParams,
    seed: int,
    scratch: Path,
) -> None:
    """Set the last convolution of the student in place; arguments as of `detection.train_detector`.

    The student's other layers and the autoencoder are taken as they are. Moments are kept in `scratch`, so that an
    interruption loses one of three passes over the images at most.
    """
    detector.to(choose_device()).eval()
    head = detector.student[-1]
    assert isinstance(head, nn.Conv2d)
    rng = np.random.default_rng([seed, 2])
    chosen = np.sort(rng.permutation(normals)[: solve.images])
    shown = np.sort(rng.permutation(len(penalties))[: solve.images])
    grey = rng.random(len(shown)) < params.penalty_grey_probability

    with torch.no_grad(), torch.autocast(choose_device().type, torch.bfloat16, uses_bfloat16(params.precision)):
        normal = _keep(scratch / "normal.pt", lambda: measure_moments(head, _see_normals(detector, images, chosen)))
        silent = _keep(
            scratch / "silent.pt", lambda: measure_moments(head, _see_penalties(detector, penalties, shown, grey))
        )
        write_weights(head, SECOND, solve_weights(_select(normal, SECOND), None, 0.0, solve.ridge))
        write_weights(head, FIRST, solve_weights(_select(normal, FIRST), silent, solve.silence, solve.ridge))
        hard = _keep(scratch / "hard.pt", lambda: measure_moments(head, see_errors(detector, images, chosen)))
        write_weights(head, FIRST, solve_weights(hard, silent, solve.silence, solve.ridge))


def _see_normals(detector: Detector, images: NDArray[np.uint8], chosen: NDArray[np.intp]) -> Iterator[Sight]:
    """Yield what the head sees of normal images, with the teacher's and the autoencoder's features to be said."""
    for image in iterate_batches(images, chosen):
        normalised = detector.normaliser(image)
        teacher = detector.describe_patches(normalised)
        autoencoder = detector.autoencoder(normalised, (teacher.shape[-2], teacher.shape[-1]))
        wanted = torch.cat([teacher.float(), autoencoder.float()], dim=1)  # (B, 768, 56, 56)
        yield Sight(detector.student[:-1](normalised).float(), wanted)


def _see_penalties(
    detector: Detector, penalties: NDArray[np.uint8], chosen: NDArray[np.intp], grey: NDArray[np.bool_]
) -> Iterator[Sight]:
    """Yield what the head sees of pretraining images."""
    for first in range(0, len(chosen), _BATCH):
        rows = slice(first, first + _BATCH)
        image = crop_penalties(penalties, chosen[rows], grey[rows]).to(choose_device())
        yield Sight(detector.student[:-1](detector.normaliser(image)).float())


def see_errors(detector: Detector, images: NDArray[np.uint8], chosen: NDArray[np.intp]) -> Iterator[Sight]:
    """Yield what the head sees of normal images, each place with its error as the weight."""
    mean_error = float(np.mean([float(error.mean()) for _, error in _find_errors(detector, images, chosen[:_SOME])]))
    low, high = WEIGHTS
    for sight, error in _find_errors(detector, images, chosen):
        yield sight._replace(weight=(error / mean_error).clamp(low, high))


def _find_errors(
    detector: Detector, images: NDArray[np.uint8], chosen: NDArray[np.intp]
) -> Iterator[tuple[Sight, Tensor]]:
    head = detector.student[-1]
    for image in iterate_batches(images, chosen):
        normalised = detector.normaliser(image)
        teacher = detector.describe_patches(normalised).float()
        hidden = detector.student[:-1](normalised)
        error = compute_distance_map(teacher, head(hidden)[:, FIRST].float())
        yield Sight(hidden.float(), teacher), error


def _select(moments: PatchMoments, channels: slice) -> PatchMoments:
    return PatchMoments(moments.inputs, moments.targets[channels])


def _keep(path: Path, measure: Callable[[], PatchMoments]) -> PatchMoments:
    """Read moments that an interrupted run left at `path`, or measure and write them; whole or not at all."""
    if not path.is_file():
        part = path.with_suffix(".part")
        torch.save(vars(measure()), part)
        part.replace(path)
    return PatchMoments(**torch.load(path, weights_only=True))
