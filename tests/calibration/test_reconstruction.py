"""What the autoencoder knows, told from held-out images."""

import numpy as np
import pytest
import torch

from efficientad.calibration import reconstruction
from efficientad.calibration.reconstruction import measure_autoencoder
from efficientad.model.inference import iterate_batches
from efficientad.model.student_teacher import StudentTeacher

RNG = np.random.default_rng(0)


def build():
    torch.manual_seed(0)
    networks = StudentTeacher("S").eval()
    networks.teacher_mean.normal_()
    return networks


@pytest.mark.parametrize("size", [(96, 128), (256, 320)])
def test_error_and_variation_are_those_of_the_plain_formulas(size):
    """A large image's are those of its view, which here holds constant colours, whatever the way to shrink it."""
    networks = build()
    images = np.broadcast_to(RNG.integers(0, 256, (3, 1, 1, 3), dtype=np.uint8), (3, *size, 3)).copy()
    sides = (256, 256) if max(size) > 256 else size
    x = torch.from_numpy(images[:, :1, :1]).permute(0, 3, 1, 2).float().expand(3, 3, *sides) / 255
    with torch.inference_mode():
        x = networks.normaliser(x)
        teacher = networks.teacher(x) - networks.teacher_mean
        said = networks.autoencoder(x, teacher.shape[-2:])
    found = measure_autoencoder(networks, images, np.arange(3))
    assert found.error == pytest.approx(float(((teacher - said) ** 2).mean()), rel=1e-3)
    assert found.variation == pytest.approx(float(np.std(said.numpy(), axis=0).mean()), rel=1e-3)


def test_a_dead_autoencoder_has_no_variation():
    networks = build()
    images = RNG.integers(0, 256, (4, 96, 96, 3), dtype=np.uint8)
    assert measure_autoencoder(networks, images, np.arange(4)).variation > 1e-3
    torch.nn.init.constant_(networks.autoencoder.head[0].bias, -1e6)  # its ReLU gives 0 everywhere
    assert measure_autoencoder(networks, images, np.arange(4)).variation == 0


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (5, 5), (32, 32), (200, 32)])
def test_up_to_32_of_the_chosen_images_are_asked_spread_evenly(monkeypatch, count, expected):
    asked = []

    def record(images, indices):
        asked.extend(indices.tolist())
        return iterate_batches(images, indices)

    monkeypatch.setattr(reconstruction, "iterate_batches", record)
    images = np.broadcast_to(RNG.integers(0, 256, (1, 64, 64, 3), dtype=np.uint8), (3 * count, 64, 64, 3))
    chosen = np.arange(0, 3 * count, 3)
    measure_autoencoder(build(), images, chosen)
    assert len(asked) == len(set(asked)) == expected
    assert set(asked) <= set(chosen.tolist())
    assert (asked[0], asked[-1]) == (chosen[0], chosen[-1])
    assert not asked[1:] or np.ptp(np.diff(asked)) <= 3  # of two gaps one is a chosen image wider at most
