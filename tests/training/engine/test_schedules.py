from types import SimpleNamespace

import pytest
import torch

from efficientad.training.engine.schedules import build_optimiser, find_hard_quantile


def rates(schedule, steps=100):
    params = SimpleNamespace(optimiser="adam", learning_rate=1e-3, schedule=schedule, steps=steps)
    made = build_optimiser([torch.nn.Parameter(torch.zeros(1))], params, "fp32")
    optimiser, scheduler = made["optimizer"], made["lr_scheduler"]["scheduler"]
    assert made["lr_scheduler"]["interval"] == "step"
    values = []
    for _ in range(steps):
        values.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return values


def test_step_schedule_decays_once_at_95_percent_of_the_steps():
    values = rates("step")
    assert values[:95] == [1e-3] * 95
    assert values[95:] == pytest.approx([1e-4] * 5)


def test_constant_schedule_is_constant():
    assert rates("constant") == [1e-3] * 100


def test_one_cycle_rises_to_the_rate_and_ends_near_zero():
    values = rates("one_cycle")
    assert max(values) == pytest.approx(1e-3, rel=0.01)
    assert 5 <= values.index(max(values)) <= 15
    assert values[-1] < 1e-5


@pytest.mark.parametrize("optimiser", ["adam", "muon"])
@pytest.mark.parametrize("schedule", ["step", "one_cycle"])
def test_a_group_keeps_the_rate_that_it_came_with(optimiser, schedule):
    params = SimpleNamespace(optimiser=optimiser, learning_rate=1e-3, schedule=schedule, steps=100)
    plain, own_rate = torch.nn.Parameter(torch.zeros(2, 2)), torch.nn.Parameter(torch.zeros(2, 2))
    made = build_optimiser([{"params": [plain]}, {"params": [own_rate], "lr": 1e-4}], params, "fp32")["optimizer"]
    assert made.param_groups[0]["lr"] == pytest.approx(10 * made.param_groups[1]["lr"])


def test_hard_quantile_sharpens_geometrically_and_stays():
    params = SimpleNamespace(steps=100, hard_quantile=0.999, hard_warmup_fraction=0.3)
    shares = [1 - find_hard_quantile(params, step) for step in (0, 10, 20, 30, 99)]
    assert shares == pytest.approx([1, 0.1, 0.01, 0.001, 0.001])


def test_without_warm_up_the_quantile_is_the_papers_from_the_first_step():
    params = SimpleNamespace(steps=100, hard_quantile=0.999, hard_warmup_fraction=0.0)
    assert find_hard_quantile(params, 0) == 0.999
