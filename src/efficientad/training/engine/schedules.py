"""Optimiser, learning rate and hard quantile as functions of the step."""

from collections.abc import Iterable
from typing import Any, Protocol

import torch
from torch import nn

from efficientad.pipeline.params import RecipeParams
from efficientad.training.engine.muon import Muon
from efficientad.training.engine.precision import uses_bfloat16

DECAY_AT = 0.95  # of the steps (arXiv 2303.14535, section 4)
DECAY_FACTOR = 0.1
ADAM_WEIGHT_DECAY = 1e-5  # of all its trainings (Algorithms 1 and 3)
_WARMUP = 0.1  # of the steps, for the one-cycle schedule


class OptimiserParams(Protocol):
    """The values that both trainings have in their params sections."""

    @property
    def steps(self) -> int: ...  # noqa: D102
    @property
    def optimiser(self) -> str: ...  # noqa: D102
    @property
    def learning_rate(self) -> float: ...  # noqa: D102
    @property
    def schedule(self) -> str: ...  # noqa: D102


def build_optimiser(
    parameters: Iterable[nn.Parameter] | Iterable[dict[str, Any]], params: OptimiserParams, precision: str
) -> dict[str, Any]:
    """Return Lightning's dictionary of the optimiser and a schedule that advances every step, not every epoch.

    `parameters` may be groups, each with an `lr` of its own if need be; Muon reads `rows`.

    `schedule`: "constant"; "step", a tenth of the rate from 95 % of the steps on, as in the paper;
    "one_cycle", up to the rate in a tenth of the steps and down along a cosine (Smith and Topin 2018).
    """
    optimiser: torch.optim.Optimizer
    if params.optimiser == "muon":
        dtype = torch.bfloat16 if uses_bfloat16(precision) else torch.float32
        optimiser = Muon(parameters, lr=params.learning_rate, dtype=dtype)
    else:
        optimiser = torch.optim.Adam(parameters, lr=params.learning_rate, weight_decay=ADAM_WEIGHT_DECAY, fused=True)
    schedule: torch.optim.lr_scheduler.LRScheduler
    if params.schedule == "one_cycle":
        highest = [group["lr"] for group in optimiser.param_groups]
        has_momentum = "betas" in optimiser.defaults  # Adam's, which the cycle lowers while the rate is high
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, highest, total_steps=params.steps + 1, pct_start=_WARMUP, cycle_momentum=has_momentum
        )
    else:
        factor = 1.0 if params.schedule == "constant" else DECAY_FACTOR
        schedule = torch.optim.lr_scheduler.StepLR(optimiser, max(1, int(DECAY_AT * params.steps)), factor)
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def find_hard_quantile(params: RecipeParams, step: int) -> float:
    """Return the quantile of the hard feature loss at a step.

    Over the first `hard_warmup_fraction` of the steps the share of values that count falls geometrically
    from all of them to 1 - `hard_quantile`; a fraction of 0 is the paper's loss from the first step on.
    """
    warmup = params.hard_warmup_fraction * params.steps
    if step >= warmup:
        return params.hard_quantile
    share: float = (1 - params.hard_quantile) ** (step / warmup)
    return 1 - share
