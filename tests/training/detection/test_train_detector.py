import numpy as np
import pytest
import torch

from efficientad.model.student_teacher import StudentTeacher
from efficientad.pipeline.params import RecipeParams, TrainParams
from efficientad.training.detection.batches import DetectionBatch, DetectionSteps, Draws, TrainingImages
from efficientad.training.detection.detector import DetectionModule, compute_losses, group_parameters, train_detector
from efficientad.training.detection.tiles import choose_tile
from efficientad.training.engine.loop import CHECKPOINT_NAME

RNG = np.random.default_rng(0)
SIDE = 64
IMAGES = RNG.integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)
PENALTIES = RNG.integers(0, 256, (2, 2 * SIDE, 2 * SIDE, 3), dtype=np.uint8)
ROWS = np.arange(4)


RECIPE = {
    "steps": 6, "batch_size": 1, "optimiser": "adam", "learning_rate": 1e-3, "autoencoder_learning_rate": 1e-3,
    "schedule": "one_cycle",
    "hard_quantile": 0.999, "hard_warmup_fraction": 0.5, "hard_sampling_fraction": 0.0,
    "penalty_tiles": 1, "penalty_defects": 0.0, "penalty_weight": 1.0, "shared_convolutions": 0,
    "autoencoder_tiles": 1, "autoencoder_stop_gradient": False,
}  # fmt: skip
TILED = {
    "shared_convolutions": 2,
    "optimiser": "muon",
    "learning_rate": 0.02,
    "penalty_tiles": 2,
    "penalty_defects": 0.5,
    "hard_sampling_fraction": 0.7,
    "autoencoder_tiles": 2,
    "autoencoder_stop_gradient": True,
}


def build_params(precision="fp32", checkpoint_every=2, cache_gb=1.0, **changes):
    recipe = RecipeParams(**(RECIPE | changes))
    return TrainParams("cpu", precision, checkpoint_every, cache_gb, cpu=recipe, paper=None)


def compute_plain_losses(detector, x, xj, p):
    """Algorithm 1 word for word: three student passes, two of the teacher, every feature, autograd's gradients."""
    n, nj, np_ = map(detector.normaliser, (x, xj, p))
    teacher = (detector.teacher(n) - detector.teacher_mean) / detector.teacher_std
    teacher_jittered = (detector.teacher(nj) - detector.teacher_mean) / detector.teacher_std
    trunk = detector.teacher[: detector.shared_layers]
    difference = (teacher.detach() - detector.student(trunk(n))[:, :384]) ** 2
    hard = [d[d >= float(np.quantile(d.detach().numpy(), 0.999))].mean() for d in difference]
    reconstruction = detector.autoencoder(nj, teacher.shape[-2:])
    return {
        "hard_loss": torch.stack(hard).mean(),
        "penalty_loss": (detector.student(trunk(np_))[:, :384] ** 2).mean(),
        "autoencoder_loss": ((teacher_jittered.detach() - reconstruction) ** 2).mean(),
        "student_autoencoder_loss": ((reconstruction - detector.student(trunk(nj))[:, 384:]) ** 2).mean(),
    }


def build_batch(side=SIDE, batch=1, features=None, parts=1, seed=0):
    torch.manual_seed(seed)
    x, xj, p = (torch.rand(batch, 3, n, n) for n in (side, side, 64))
    tile, penalty_tile = (choose_tile((n, n), parts, np.random.default_rng(seed)) for n in (side, 64))
    crop = penalty_tile.crop_image(p)
    return DetectionBatch(x, xj, crop, None, features, tile, penalty_tile, tuple(range(batch)), (0,) * batch), p


def build_detector(shared=0):
    torch.manual_seed(1)
    detector = StudentTeacher("S", shared).eval()  # no dropout, so that both sides see one autoencoder
    detector.teacher_mean.normal_()
    return detector


@pytest.mark.parametrize(("side", "batch"), [(64, 1), (64, 2), (96, 1)])  # one student pass, or two when sizes differ
@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("shared", [0, 2])
def test_losses_and_gradients_are_those_of_the_plain_formulas(side, batch, kept, shared):
    detector = build_detector(shared)
    images, penalty = build_batch(side, batch)
    if kept:
        images = images._replace(features=detector.teacher(detector.normaliser(images.image)).detach())
    results = []
    for losses in (
        compute_losses(detector, images, 0.999),
        compute_plain_losses(detector, images.image, images.jittered, penalty),
    ):
        detector.zero_grad()
        sum(losses.values()).backward()
        gradients = [p.grad.clone() for p in detector.parameters() if p.requires_grad]
        results.append(({name: value.item() for name, value in losses.items()}, gradients))
    (losses, gradients), (plain_losses, plain_gradients) = results
    assert losses == pytest.approx(plain_losses, rel=1e-4)
    for gradient, plain in zip(gradients, plain_gradients, strict=True):
        torch.testing.assert_close(gradient, plain, rtol=1e-3, atol=1e-5 * float(plain.abs().max()))


def test_all_that_is_trained_is_in_one_group_and_the_autoencoder_has_its_own_rate():
    detector = build_detector(shared=2)
    groups = group_parameters(detector, 1e-4)
    grouped = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in detector.parameters() if p.requires_grad)
    assert groups[-1] == {"params": list(detector.autoencoder.parameters()), "lr": 1e-4}
    assert not any("lr" in group for group in groups[:-1])


def test_the_penalty_weight_scales_the_penalty_alone():
    batch = DetectionSteps(TrainingImages(IMAGES, ROWS, PENALTIES), Draws(1, 0.3, 0), 0, 1)[0]
    detector = build_detector().eval()
    plain, tripled = (
        {name: loss.item() for name, loss in compute_losses(detector, batch, 0.9, weight).items()} for weight in (1, 3)
    )
    assert tripled.pop("penalty_loss") == pytest.approx(3 * plain.pop("penalty_loss"))
    assert plain == tripled


def test_the_penalty_counts_the_cells_that_a_defect_covers_alone():
    detector = build_detector()
    batch, penalty = build_batch(64, batch=2)
    penalty = penalty * torch.linspace(0, 1, 64)  # darker to the left, so that cells differ
    cells = torch.zeros(2, 8, 8)
    cells[0, 2:6, 1:5] = cells[1, :, 4:] = 1
    features = detector.student(detector.normaliser(penalty))[:, :384]
    expected = ((features[0, :, 2:6, 1:5] ** 2).mean() + (features[1, :, :, 4:] ** 2).mean()) / 2
    found = compute_losses(detector, batch._replace(penalty=penalty, penalty_cells=cells), 0.999)
    assert found["penalty_loss"].item() == pytest.approx(expected.item(), rel=1e-4)
    assert found["penalty_loss"].item() != pytest.approx((features**2).mean().item(), rel=1e-3)


@pytest.mark.parametrize("parts", [2, 3])  # of 16 and of 8 cells: equal parts, and unequal ones
def test_a_tiles_losses_are_the_wholes_on_average(parts):
    detector = build_detector()
    whole = compute_losses(detector, build_batch(96)[0], 0.999)
    tiles = {}
    for seed in range(60 if parts == 2 else 90):
        tile = choose_tile((96, 96), parts, np.random.default_rng(seed))
        if tile in tiles:
            continue
        images, penalty = build_batch(96)
        penalty_tile = choose_tile((64, 64), parts, np.random.default_rng(seed))
        images = images._replace(tile=tile, penalty=penalty_tile.crop_image(penalty), penalty_tile=penalty_tile)
        with torch.no_grad():
            tiles[tile] = compute_losses(detector, images, 0.999)
    assert len(tiles) == parts**2
    for name, value in whole.items():
        assert np.mean([float(losses[name]) for losses in tiles.values()]) == pytest.approx(value.item(), rel=1e-4)


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("is_piece", [False, True])
def test_with_the_stop_gradient_the_autoencoder_learns_the_whole_map_from_the_teacher_alone(kept, is_piece):
    detector = build_detector(shared=2)
    batch, _ = build_batch(96, parts=2)
    x, xj = map(detector.normaliser, (batch.image, batch.jittered))
    with torch.no_grad():
        teacher = detector.normalise_features(detector.teacher(xj if is_piece else x))
    if kept:
        batch = batch._replace(features=detector.teacher(x).detach())
    reconstruction = detector.autoencoder(xj, teacher.shape[-2:])
    expected = ((teacher - reconstruction) ** 2).mean()
    expected.backward()
    gradients = [p.grad.clone() for p in detector.autoencoder.parameters()]
    detector.zero_grad()
    losses = compute_losses(detector, batch._replace(is_piece=is_piece), 0.999, autoencoder_stop_gradient=True)
    sum(losses.values()).backward()
    assert losses["autoencoder_loss"].item() == pytest.approx(expected.item(), rel=1e-4)
    for parameter, gradient in zip(detector.autoencoder.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-5 * float(gradient.abs().max()))
    plain = compute_losses(detector, batch, 0.999)
    for name in ("hard_loss", "penalty_loss", "student_autoencoder_loss"):
        assert losses[name].item() == pytest.approx(plain[name].item(), rel=1e-5)


def test_bfloat16_follows_float32_over_many_steps(tmp_path):
    """Within 5 % of float32's loss, averaged over the second half of 40 steps."""
    losses = {}
    for precision in ("fp32", "bf16"):
        _, log = train(tmp_path / precision, precision=precision, steps=40, checkpoint_every=40)
        losses[precision] = np.mean([row["loss"] for row in log.rows[20:]])
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)


def test_features_beyond_the_room_on_disk_are_computed(tmp_path):
    kept, _ = train(tmp_path / "kept", steps=3)
    computed, _ = train(tmp_path / "computed", steps=3, cache_gb=0.0)
    for name, tensor in kept.state_dict().items():
        torch.testing.assert_close(tensor, computed.state_dict()[name], rtol=1e-3, atol=1e-4)


def test_the_teacher_gets_no_gradient_and_the_rest_does():
    detector = StudentTeacher("S")
    sum(compute_losses(detector, build_batch()[0], 0.9).values()).backward()
    assert all(p.grad is None for p in detector.teacher.parameters())
    for part in (detector.student, detector.autoencoder):
        assert all(float(p.grad.abs().sum()) > 0 for p in part.parameters())


def train(scratch, seed=0, **changes):
    teacher = StudentTeacher("S").teacher
    torch.manual_seed(3)
    for parameter in teacher.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    scratch.mkdir(exist_ok=True)
    data = TrainingImages(IMAGES, ROWS, PENALTIES)
    return train_detector("S", teacher, data, build_params(**changes), seed, scratch)


def assert_equal_weights(first, second):
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


@pytest.mark.parametrize("breaks_at", [5, 8, 12])  # within segments of 3, just before and after all 4 images were seen
@pytest.mark.parametrize(("precision", "recipe"), [("fp32", {}), ("bf16", TILED)])
def test_an_interrupted_training_ends_in_the_same_weights(tmp_path, monkeypatch, precision, recipe, breaks_at):
    recipe = {"steps": 13, "checkpoint_every": 3} | recipe
    whole, log = train(tmp_path / "whole", precision=precision, **recipe)
    assert [row["step"] for row in log.rows] == list(range(1, 14))

    real = DetectionModule.training_step
    calls = []

    def break_off(self, batch, index):
        calls.append(index)
        if len(calls) == breaks_at:
            raise KeyboardInterrupt
        return real(self, batch, index)

    monkeypatch.setattr(DetectionModule, "training_step", break_off)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train(tmp_path / "broken", precision=precision, **recipe)
    monkeypatch.setattr(DetectionModule, "training_step", real)
    assert (tmp_path / "broken" / CHECKPOINT_NAME).is_file()
    resumed, resumed_log = train(tmp_path / "broken", precision=precision, **recipe)
    assert_equal_weights(whole, resumed)
    assert resumed_log.rows == log.rows


def test_one_seed_gives_the_same_weights_and_another_gives_others(tmp_path):
    first, _ = train(tmp_path / "a", steps=2)
    assert_equal_weights(first, train(tmp_path / "b", steps=2)[0])
    other, _ = train(tmp_path / "c", steps=2, seed=1)
    assert torch.equal(first.teacher[0].weight, other.teacher[0].weight)
    assert not torch.equal(first.student[-1].weight, other.student[-1].weight)
    assert not torch.equal(first.autoencoder.decoder[0].weight, other.autoencoder.decoder[0].weight)


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


def test_hard_images_are_drawn_more_often_once_all_were_seen():
    """In proportion to the 1.5th power of their last loss."""
    module = DetectionModule(build_detector(), build_params(hard_sampling_fraction=0.7), images=3)
    module._note_hard_loss((0, 2), torch.tensor(4.0))
    assert module.plan_hard_sampling(step=0) is None
    module._note_hard_loss((1,), torch.tensor(1.0))
    module._note_hard_loss((2,), torch.tensor(1.0))
    sampling = module.plan_hard_sampling(step=2)
    assert sampling.fraction == 0.7
    assert sampling.weights.tolist() == [8.0, 1.0, 1.0]


def test_hard_images_are_looked_up_at_the_ends_of_segments_alone():
    """So that a training that is resumed in between goes on with the same images."""
    module = DetectionModule(build_detector(), build_params(checkpoint_every=2, hard_sampling_fraction=0.7), images=1)
    assert module.plan_hard_sampling(step=2) is None
    module._note_hard_loss((0,), torch.tensor(4.0))
    assert module.plan_hard_sampling(step=3) is None
    assert module.plan_hard_sampling(step=4) is not None


def test_without_hard_sampling_every_image_comes_in_its_turn():
    module = DetectionModule(build_detector(), build_params(hard_sampling_fraction=0.0), images=1)
    module._note_hard_loss((0,), torch.tensor(4.0))
    assert module.plan_hard_sampling(step=0) is None
