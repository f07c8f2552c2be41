import numpy as np
import pytest
import torch

from efficientad.detector import Detector
from efficientad.params import AutoencoderParams, RecipeParams, SolveParams, TrainParams
from efficientad.training.batches import DetectionBatch
from efficientad.training.detection import compute_losses, train_detector
from efficientad.training.loop import CHECKPOINT_NAME

RNG = np.random.default_rng(0)
SIDE = 64
IMAGES = RNG.integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)
PENALTIES = RNG.integers(0, 256, (2, 2 * SIDE, 2 * SIDE, 3), dtype=np.uint8)
ROWS = np.arange(4)


RECIPE = {
    "autoencoder": None, "student_start": "random", "solve": None, "steps": 6, "batch_size": 1, "optimiser": "adam",
    "learning_rate": 1e-3, "schedule": "one_cycle", "weight_decay": 1e-5, "hard_quantile": 0.999,
    "hard_warmup_fraction": 0.5,
}  # fmt: skip
SOLVED = {
    "autoencoder": AutoencoderParams(steps=3, batch_size=2, learning_rate=0.02),
    "student_start": "solved",
    "solve": SolveParams(images=3, silence=0.1, ridge=1e-4),
}


def build_params(precision="fp32", checkpoint_every=2, **changes):
    recipe = RecipeParams(**(RECIPE | changes))
    return TrainParams("cpu", 0.3, precision, checkpoint_every, cpu=recipe, paper=recipe)


@pytest.mark.parametrize(("side", "batch"), [(64, 1), (64, 2), (96, 1)])
def test_losses_are_algorithm_1_with_three_separate_student_passes(side, batch):
    torch.manual_seed(1)
    detector = Detector("S").eval()  # no dropout, so that both sides see one autoencoder
    detector.teacher_mean.normal_()
    x, xj, p = (torch.rand(batch, 3, n, n) for n in (side, side, 64))  # one pass, or two when sizes differ
    losses = compute_losses(detector, DetectionBatch(x, xj, p), 0.999)

    n, nj, np_ = (detector.normaliser(one) for one in (x, xj, p))
    teacher = (detector.teacher(n) - detector.teacher_mean) / detector.teacher_std
    teacher_jittered = (detector.teacher(nj) - detector.teacher_mean) / detector.teacher_std
    difference = ((teacher - detector.student(n)[:, :384]) ** 2).detach().numpy()
    hard = [d[d >= np.quantile(d, 0.999)].mean() for d in difference]
    reconstruction = detector.autoencoder(nj, teacher.shape[-2:])
    expected = {
        "hard_loss": np.mean(hard),
        "penalty_loss": (detector.student(np_)[:, :384] ** 2).mean().item(),
        "autoencoder_loss": ((teacher_jittered - reconstruction) ** 2).mean().item(),
        "student_autoencoder_loss": ((reconstruction - detector.student(nj)[:, 384:]) ** 2).mean().item(),
    }
    assert {name: float(value.detach()) for name, value in losses.items()} == pytest.approx(expected, rel=1e-4)


def test_the_teacher_gets_no_gradient_and_the_rest_does():
    detector = Detector("S")
    batch = DetectionBatch(*(torch.rand(1, 3, SIDE, SIDE) for _ in range(3)))
    sum(compute_losses(detector, batch, 0.9).values()).backward()
    assert all(p.grad is None for p in detector.teacher.parameters())
    for part in (detector.student, detector.autoencoder):
        assert all(float(p.grad.abs().sum()) > 0 for p in part.parameters())


def train(scratch, **changes):
    teacher = Detector("S").teacher
    torch.manual_seed(3)
    for parameter in teacher.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    scratch.mkdir(exist_ok=True)
    return train_detector("S", teacher, IMAGES, ROWS, PENALTIES, build_params(**changes), 0, scratch)


def assert_equal_weights(one, other):
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


@pytest.mark.parametrize(("precision", "recipe"), [("fp32", {}), ("auto", SOLVED)])
def test_an_interrupted_training_ends_in_the_same_weights(tmp_path, monkeypatch, precision, recipe):
    whole, log = train(tmp_path / "whole", precision=precision, **recipe)
    assert [row["step"] for row in log.rows] == [1, 2, 3, 4, 5, 6]

    real = DetectionModuleStep.original
    calls = []

    def break_off(self, batch, index):
        calls.append(index)
        if len(calls) == 6:  # in the middle of the third segment, after two checkpoints
            raise KeyboardInterrupt
        return real(self, batch, index)

    monkeypatch.setattr("efficientad.training.detection.DetectionModule.training_step", break_off)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train(tmp_path / "broken", precision=precision, **recipe)
    monkeypatch.setattr("efficientad.training.detection.DetectionModule.training_step", real)
    assert (tmp_path / "broken" / CHECKPOINT_NAME).is_file()
    resumed, resumed_log = train(tmp_path / "broken", precision=precision, **recipe)
    assert_equal_weights(whole, resumed)
    assert resumed_log.rows == log.rows


class DetectionModuleStep:
    from efficientad.training.detection import DetectionModule as _module

    original = _module.training_step


def test_one_seed_gives_the_same_weights_and_another_gives_others(tmp_path):
    first, _ = train(tmp_path / "a", steps=2)
    assert_equal_weights(first, train(tmp_path / "b", steps=2)[0])


def test_losses_fall(tmp_path):
    _, log = train(tmp_path / "fall", steps=40, checkpoint_every=40, hard_quantile=0.9, hard_warmup_fraction=0.0)
    first, last = (np.mean([row["loss"] for row in rows]) for rows in (log.rows[:5], log.rows[-5:]))
    assert last < 0.8 * first


def test_the_loss_log_is_a_table_with_a_row_a_step(tmp_path):
    _, log = train(tmp_path / "csv", steps=3)
    log.write_csv(tmp_path / "losses.csv")
    lines = (tmp_path / "losses.csv").read_text("utf-8").splitlines()
    assert lines[0] == "step,loss,hard_loss,penalty_loss,autoencoder_loss,student_autoencoder_loss"
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3"]
    values = [float(value) for value in lines[1].split(",")]
    assert values[1] == pytest.approx(sum(values[2:]), rel=1e-4)
