"""A tiny training and a tiny distillation; run as a program, by torchrun or alone, it writes the weights.

tiny_training.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import torch

from efficientad.data.arrays.pretraining import Pretraining
from efficientad.model.pdn import build_pdn
from efficientad.model.weights import save_weights
from efficientad.pipeline.params import DistillParams, RecipeParams, TrainParams
from efficientad.training.detection.batches import TrainingImages
from efficientad.training.detection.detector import train_detector
from efficientad.training.distillation.teacher import distill_teacher
from efficientad.training.engine.workers import join_workers

RECIPE = RecipeParams(
    steps=6, batch_size=2, optimiser="muon", learning_rate=0.01, autoencoder_learning_rate=0.003,
    schedule="one_cycle",
    hard_quantile=0.999, hard_warmup_fraction=0.5, hard_sampling_fraction=0.5, shared_convolutions=1, penalty_tiles=2,
    penalty_defects=0.5, penalty_weight=1.0, autoencoder_tiles=2, autoencoder_stop_gradient=True,
)  # fmt: skip
TRAIN = TrainParams("cpu", "fp32", 2, 1.0, cpu=RECIPE, paper=None)
DISTILL = DistillParams(
    backbone="efficientnet_lite0", checkpoint=None, steps=3, batch_size=2, optimiser="muon", learning_rate=0.01,
    schedule="one_cycle", held_out_fraction=0.25, precision="fp32",
    checkpoint_every=50, seed=0,
)  # fmt: skip


def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (6, 64, 64, 3), dtype=np.uint8)
    large = rng.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8).repeat(32, axis=1).repeat(32, axis=2)
    torch.manual_seed(3)
    data = TrainingImages(small, np.arange(4), large)
    with join_workers() as workers:
        for name in ("train", "distill"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        detector, _ = train_detector("S", build_pdn("S", 384), data, TRAIN, 0, folder / "train")
        teacher, _, _ = distill_teacher("S", Pretraining(large, ("a", "b", "c", "d")), DISTILL, folder / "distill")
        if workers.is_first:
            save_weights(detector, folder / "detector.safetensors", {})
            save_weights(teacher, folder / "teacher.safetensors", {})


if __name__ == "__main__":
    main()
