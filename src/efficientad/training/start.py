"""Where a training starts from: the teacher's statistics, and what the student can be given before its first step."""

import numpy as np
import torch
from numpy.typing import NDArray

from efficientad.detector import Detector
from efficientad.inference import choose_device, iterate_batches
from efficientad.training.statistics import ChannelStatistics


def fit_teacher_statistics(
    detector: Detector, images: NDArray[np.uint8], normals: NDArray[np.intp], bfloat16: bool
) -> None:
    """Set the detector's channel statistics from the teacher's features of all normal training images."""
    device = choose_device()
    detector.to(device)
    statistics = ChannelStatistics()
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        for image in iterate_batches(images, normals):
            statistics.update(detector.teacher(detector.normaliser(image)))
    mean, std = statistics.finish()
    detector.teacher_mean.copy_(mean)
    detector.teacher_std.copy_(std)


def start_student_from_teacher(detector: Detector) -> None:
    """Give the student the teacher's weights up to its last convolution, and there zeros.

    A student layer that is wider than the teacher's keeps its random weights in the channels beyond. The
    student then has to learn one linear map of features that it has already, and gradients move it in the
    span of what it was shown alone: on normal images it comes close to the teacher within hundreds of steps
    instead of thousands, elsewhere it stays near zero. Beyond the paper; see
    docs/decisions/0008-student-starts-from-teacher.md.
    """
    *trunk, weight, bias = detector.student.parameters()
    with torch.no_grad():
        for student, teacher in zip(trunk, list(detector.teacher.parameters())[:-2], strict=True):
            student[: len(teacher)].copy_(teacher)
        weight.zero_()
        bias.zero_()
