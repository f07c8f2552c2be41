import numpy as np
import pytest

from efficientad.deploy.export.int8.rounding import round_weights

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


def test_it_is_the_method_of_the_source_step_by_step():
    """Each input is rounded, its error spread by the inverse of what is left, and its row and column taken out."""
    weights, inputs = RNG.normal(size=(5, 12)), RNG.normal(size=(40, 12)) @ RNG.normal(size=(12, 12))
    steps = np.abs(weights).max(axis=1) / 127
    moments = inputs.T @ inputs
    inverse = np.linalg.inv(moments + 0.01 * np.trace(moments) / 12 * np.eye(12))
    left, expected = weights.copy(), np.empty_like(weights)
    for place in range(12):
        expected[:, place] = np.clip(np.round(left[:, place] / steps), -127, 127) * steps
        left -= np.outer((left[:, place] - expected[:, place]) / inverse[place, place], inverse[place])
        inverse -= np.outer(inverse[:, place], inverse[place]) / inverse[place, place]
    rows, largest = np.arange(5), np.abs(weights).argmax(axis=1)
    expected[rows, largest] = weights[rows, largest]  # which is the grid's end
    np.testing.assert_allclose(round_weights(weights, moments), expected, atol=1e-9)
