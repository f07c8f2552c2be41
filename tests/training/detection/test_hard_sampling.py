import numpy as np
import pytest

from efficientad.training.detection.hard_sampling import HardSampling, weigh_losses


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.9])
def test_hard_sampling_draws_a_fraction_of_the_samples_by_their_weights(fraction):
    sampling = HardSampling(np.array([0.0, 1.0, 3.0, 0.0]), fraction)
    drawn = [sampling.replace([3], 0, step)[0] for step in range(2000)]
    counts = np.bincount(drawn, minlength=4)
    assert counts[0] == 0
    assert counts[3] == pytest.approx(2000 * (1 - fraction), abs=100)
    assert counts[2] / counts[1] == pytest.approx(3, rel=0.2)


def test_hard_sampling_depends_on_seed_and_step_alone():
    sampling = HardSampling(np.arange(1.0, 6.0), 0.7)
    ordered = [0, 1, 2, 3]
    assert sampling.replace(ordered, 1, 5) == sampling.replace(ordered, 1, 5)
    assert len({tuple(sampling.replace(ordered, seed, step)) for seed in range(3) for step in range(3)}) > 5


def test_a_sample_weighs_by_the_power_of_its_loss_once_all_have_one():
    assert weigh_losses(np.array([1.0, 4.0]), 0.5).weights.tolist() == [1.0, 8.0]
    assert weigh_losses(np.array([1.0, np.inf]), 0.5) is None
    assert weigh_losses(np.array([1.0, 4.0]), 0.0) is None
