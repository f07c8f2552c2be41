import numpy as np
import pytest

from efficientad.deploy.export.rounding import round_weights

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(20, 200))
INPUTS = RNG.normal(size=(600, 30)) @ RNG.normal(size=(30, 200))  # 200 inputs that go together in 30 directions
STEPS = np.abs(WEIGHTS).max(axis=1, keepdims=True) / 127


def round_to_nearest(weights):
    return np.round(weights / STEPS) * STEPS


def measure_error(rounded, inputs):
    return np.square(inputs @ (rounded - WEIGHTS).T).mean()


def test_results_change_far_less_than_by_rounding_to_the_nearest():
    fitted, new = INPUTS[:400], INPUTS[400:]
    rounded = round_weights(WEIGHTS, fitted.T @ fitted)
    assert measure_error(rounded, new) < 0.1 * measure_error(round_to_nearest(WEIGHTS), new)


def test_weights_lie_on_a_grid_that_can_be_read_off_them():
    rounded = round_weights(WEIGHTS, INPUTS.T @ INPUTS)
    steps = np.abs(rounded).max(axis=1, keepdims=True) / 127
    np.testing.assert_allclose(steps, STEPS)
    np.testing.assert_allclose(rounded / steps, np.round(rounded / steps), atol=1e-9)


@pytest.mark.parametrize("moments", [np.zeros((200, 200)), np.eye(200)])
def test_without_anything_to_put_right_it_is_the_nearest(moments):
    np.testing.assert_allclose(round_weights(WEIGHTS, moments), round_to_nearest(WEIGHTS))


def test_a_row_of_zeros_stays():
    assert (round_weights(np.zeros((1, 200)), INPUTS.T @ INPUTS) == 0).all()
