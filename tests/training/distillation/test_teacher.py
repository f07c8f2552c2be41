import numpy as np
import pytest
import torch

from efficientad.data.arrays.pretraining import Pretraining
from efficientad.pipeline.params import DistillParams
from efficientad.teacher.backbones import build_backbone, compute_targets
from efficientad.training.distillation.teacher import choose_grey, distill_teacher, hold_out_photographs, write_targets

RNG = np.random.default_rng(0)
# Smooth blobs, which both networks can see.
IMAGES = RNG.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8).repeat(32, axis=1).repeat(32, axis=2)


def build_params(**changes):
    values = {
        "backbone": "efficientnet_lite0", "checkpoint": None, "steps": 8, "batch_size": 2, "optimiser": "adam",
        "learning_rate": 1e-3, "schedule": "one_cycle",
        "held_out_fraction": 0.25,
        "precision": "fp32", "checkpoint_every": 50, "seed": 0,
    }  # fmt: skip
    return DistillParams(**(values | changes))


def test_targets_are_the_backbones_features_written_once(tmp_path):
    backbone = build_backbone("efficientnet_lite0")
    grey = np.array([False, True, False, False])
    images, features, mean, std = write_targets(backbone, IMAGES, grey, tmp_path, torch.device("cpu"))
    targets = np.stack([features.read(index).numpy() for index in range(4)])
    with torch.inference_mode():
        image = torch.from_numpy(IMAGES[2:3]).permute(0, 3, 1, 2) / 255
        expected = compute_targets(backbone, image)[0].numpy()
    assert np.abs(targets[2] - expected).max() < 0.02 * np.abs(expected).max()
    assert mean.flatten().numpy() == pytest.approx(targets.astype(np.float64).mean(axis=(0, 2, 3)), abs=0.05)
    assert float(std.min()) > 0
    assert np.array_equal(images[2], IMAGES[2].reshape(256, 2, 256, 2, 3)[:, 0, :, 0])
    assert np.array_equal(images[1][..., 0], images[1][..., 2])


def test_grey_images_are_a_seeded_share():
    assert 60 < choose_grey(1000, 0.1, seed=0).sum() < 140
    assert np.array_equal(choose_grey(50, 0.5, seed=1), choose_grey(50, 0.5, seed=1))
    assert not choose_grey(50, 0.0, seed=1).any()


def test_all_crops_of_a_photograph_are_held_out_or_trained_on_together():
    photographs = [f"{index % 20}" for index in range(60)]
    held_out, trained = hold_out_photographs(photographs, 0.1, seed=0)
    names = [{photographs[index] for index in rows} for rows in (held_out, trained)]
    assert len(names[0]) == 2
    assert not names[0] & names[1]
    assert sorted([*held_out, *trained]) == list(range(60))


def test_a_distilled_teacher_says_what_the_backbone_says(tmp_path):
    _, log, error = distill_teacher("S", Pretraining(IMAGES, ("a", "b", "c", "d")), build_params(steps=30), tmp_path)
    losses = [row["loss"] for row in log.rows]
    assert np.mean(losses[-3:]) < 0.9 * np.mean(losses[:3])
    assert 0 < error < 3
