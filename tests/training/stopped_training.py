"""A stage that trains so long that it can be stopped on its way, a detector or a teacher: stopped_training.py NAME."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tiny_training import DISTILL, RECIPE, TRAIN

from efficientad.data.arrays.pretraining import Pretraining
from efficientad.model.pdn import build_pdn
from efficientad.model.weights import save_weights
from efficientad.pipeline.stage import run_stage
from efficientad.training.detection.batches import TrainingImages
from efficientad.training.detection.detector import train_detector
from efficientad.training.distillation.teacher import distill_teacher
from efficientad.training.engine.loop import LossLog

STEPS = 12


def main() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (6, 64, 64, 3), dtype=np.uint8)
    large = rng.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8).repeat(32, axis=1).repeat(32, axis=2)
    scratch = Path("work")
    scratch.mkdir(exist_ok=True)
    log = LossLog.on_train_batch_end

    def tell(self, trainer, *rest) -> None:
        log(self, trainer, *rest)
        print(trainer.global_step, flush=True)

    LossLog.on_train_batch_end = tell
    if sys.argv[1] == "detector":
        params = replace(TRAIN, cpu=replace(RECIPE, steps=STEPS))
        networks = train_detector(
            "S", build_pdn("S", 384), TrainingImages(small, np.arange(4), large), params, 0, scratch
        )
    else:
        params = replace(DISTILL, steps=STEPS, checkpoint_every=2)
        networks = distill_teacher("S", Pretraining(large, ("a", "b", "c", "d")), params, scratch)
    save_weights(networks[0], Path("weights.safetensors"), {})


if __name__ == "__main__":
    torch.manual_seed(3)
    run_stage(main)
