import numpy as np
import pytest
import torch

from efficientad.detector import Detector
from efficientad.params import SolveParams, TrainParams
from efficientad.training.solve import WEIGHTS, see_errors, solve_student
from efficientad.training.start import fit_teacher_statistics, start_student_from_teacher

RNG = np.random.default_rng(0)
SIDE = 128
# Normal images are smooth, one of them with a bright square; pretraining images are noise.
IMAGES = np.linspace(60, 90, SIDE)[None, :, None, None] + 15 * RNG.random((6, SIDE, SIDE, 3))
IMAGES[2, 40:80, 40:80] = 250
IMAGES = IMAGES.astype(np.uint8)
PENALTIES = RNG.integers(0, 256, (4, 2 * SIDE, 2 * SIDE, 3), dtype=np.uint8)
ROWS = np.arange(5)


def build(size):
    torch.manual_seed(0)
    detector = Detector(size)
    fit_teacher_statistics(detector, IMAGES, ROWS, bfloat16=False)
    start_student_from_teacher(detector)
    return detector


def solve(detector, scratch, silence=0.1, images=10):
    params = TrainParams("cpu", 0.3, "fp32", 50, cpu=None, paper=None)
    values = SolveParams(images=images, silence=silence, ridge=1e-3)
    solve_student(detector, IMAGES, ROWS, PENALTIES, values, params, 0, scratch)


@torch.no_grad()
def measure(detector, images):
    """Mean squares: the teacher's features, what the student misses of them, what it misses of the autoencoder's."""
    image = detector.normaliser(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255)
    teacher = detector.describe_patches(image)
    student = detector.student(image)
    autoencoder = detector.autoencoder(image, teacher.shape[-2:])
    return [float(one.square().mean()) for one in (teacher, teacher - student[:, :384], autoencoder - student[:, 384:])]


@pytest.mark.parametrize("size", ["S", "M"])
def test_a_solved_student_knows_the_normal_images_and_the_autoencoder(size, tmp_path):
    detector = build(size)
    _, before, autoencoder_before = measure(detector, IMAGES[:5])
    solve(detector, tmp_path)
    all_of_it, missed, missed_of_autoencoder = measure(detector, IMAGES[:5])
    assert before == pytest.approx(all_of_it)
    assert missed < 0.2 * all_of_it
    assert missed_of_autoencoder < 0.7 * autoencoder_before  # the autoencoder sees more than a patch


def test_the_student_does_not_know_pretraining_images(tmp_path):
    """What the penalty asks for: the more it weighs, the less of the teacher is said there."""
    said = []
    crops = PENALTIES[:, 64:192, 64:192]
    for silence in (0.001, 10.0):
        detector = build("S")
        (tmp_path / str(silence)).mkdir()
        solve(detector, tmp_path / str(silence), silence=silence)
        with torch.no_grad():
            image = detector.normaliser(torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255)
            said.append(float(detector.student(image)[:, :384].square().mean()))
    assert said[1] < 0.8 * said[0]


def test_a_place_weighs_its_error_against_the_mean_within_bounds(tmp_path):
    detector = build("S").eval()
    with torch.no_grad():
        detector.teacher_std.fill_(0.01)  # large errors at some places
        (sight, _) = list(see_errors(detector, IMAGES, ROWS))
        image = detector.normaliser(torch.from_numpy(IMAGES[:4]).permute(0, 3, 1, 2).float() / 255)
        teacher = detector.describe_patches(image)
        error = (teacher - detector.student(image)[:, :384]).square().mean(dim=1, keepdim=True)
        rest = detector.normaliser(torch.from_numpy(IMAGES[4:5]).permute(0, 3, 1, 2).float() / 255)
        other = (detector.describe_patches(rest) - detector.student(rest)[:, :384]).square().mean()
    mean = float((error.mean() + other) / 2)  # of the two batches
    torch.testing.assert_close(sight.weight, (error / mean).clamp(*WEIGHTS), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(sight.wanted, teacher, rtol=1e-3, atol=1e-3)


def test_moments_of_an_interrupted_run_are_used(tmp_path, monkeypatch):
    whole, resumed = build("S"), build("S")
    solve(whole, tmp_path)
    (tmp_path / "hard.pt").unlink()

    def refuse(*_):
        raise AssertionError("measured again")

    monkeypatch.setattr("efficientad.training.solve._see_normals", refuse)
    monkeypatch.setattr("efficientad.training.solve._see_penalties", refuse)
    solve(resumed, tmp_path)
    assert torch.equal(whole.student[-1].weight, resumed.student[-1].weight)
