import numpy as np
import pytest
import torch

from efficientad.detector import Detector
from efficientad.training.start import fit_teacher_statistics, start_student_from_teacher

SIDE = 64
IMAGES = np.random.default_rng(0).integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)
ROWS = np.arange(4)


def test_teacher_statistics_are_of_all_training_images_alone():
    detector = Detector("S")
    fit_teacher_statistics(detector, IMAGES, ROWS, bfloat16=False)
    with torch.inference_mode():
        images = torch.from_numpy(IMAGES[:4]).permute(0, 3, 1, 2) / 255
        features = detector.teacher(detector.normaliser(images)).double()
    expected = features.mean(dim=(0, 2, 3)), features.std(dim=(0, 2, 3), correction=0)
    assert torch.allclose(detector.teacher_mean.flatten().double(), expected[0], atol=1e-5)
    assert torch.allclose(detector.teacher_std.flatten().double(), expected[1], rtol=1e-4)


@pytest.mark.parametrize("size", ["S", "M"])
def test_a_student_that_starts_from_the_teacher_has_its_features_and_says_nothing(size):
    detector = Detector(size)
    start_student_from_teacher(detector)
    image = torch.rand(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        assert float(detector.student(image).abs().max()) == 0
        hidden = detector.student[:-1](image)[:, : detector.teacher[-1].in_channels]
        assert torch.equal(hidden, detector.teacher[:-1](image))
