import cv2
import numpy as np
import pytest
import torch

from efficientad.errors import ParamsError
from efficientad.training.detection.batches import DetectionSteps, Draws, TrainingImages
from efficientad.training.detection.hard_sampling import HardSampling
from efficientad.training.engine.augment import JITTERS, convert_to_grey, jitter_colour
from efficientad.training.engine.tensors import convert_to_tensor
from efficientad.training.engine.workers import Share

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(40, 200, (5, 64, 64, 3), dtype=np.uint8)
PENALTIES = RNG.integers(0, 256, (3, 512, 512, 3), dtype=np.uint8)


def build(first=0, count=10, batch_size=1, grey=0.3, seed=0, parts=1, share=None):
    data = TrainingImages(IMAGES, np.array([0, 2, 3]), PENALTIES)
    return DetectionSteps(data, Draws(batch_size, grey, seed, parts, parts), first, count, share)


def assert_equal_batches(one, other):
    for left, right in zip(one, other, strict=True):
        assert torch.equal(left, right) if isinstance(left, torch.Tensor) else left == right


def test_a_step_depends_on_seed_and_step_alone():
    whole, resumed = build(0, 10), build(6, 4)
    for index in range(4):
        assert_equal_batches(whole[6 + index], resumed[index])
    assert not torch.equal(build(seed=1)[0].penalty, build(seed=2)[0].penalty)


def test_only_the_given_rows_are_seen():
    allowed = convert_to_tensor(IMAGES[[0, 2, 3]])
    for batch in (build(batch_size=2)[step] for step in range(10)):
        for image in batch.image:
            assert any(torch.equal(image, normal) for normal in allowed)


def test_exactly_one_of_brightness_contrast_saturation_is_scaled():
    for batch in (build()[step] for step in range(10)):
        factors = np.linspace(0.8, 1.2, 4001)
        errors = [
            min(float((jitter_colour(batch.image, kind, f) - batch.jittered).abs().max()) for f in factors)
            for kind in JITTERS
        ]
        assert min(errors) < 1e-3


def test_penalty_is_the_centre_of_a_pretraining_image_at_times_grey():
    crops = convert_to_tensor(PENALTIES[:, 128:384, 128:384])
    kinds = []
    for batch in (build(count=60)[step] for step in range(60)):
        colour = any(torch.equal(batch.penalty[0], crop) for crop in crops)
        grey = any(torch.allclose(batch.penalty[0], convert_to_grey(crop[None])[0]) for crop in crops)
        assert colour != grey
        kinds.append(grey)
    assert 6 <= sum(kinds) <= 32  # 60 draws at 0.3


def test_a_segment_ends():
    assert len(build(count=4)) == 4
    assert len(list(build(count=4))) == 4


def test_processes_share_a_batch_image_by_image():
    whole = build(batch_size=4, parts=2)[5]
    parts = [build(batch_size=4, parts=2, share=Share(rank, 2))[5] for rank in (0, 1)]
    for name in ("image", "jittered", "penalty"):
        together = torch.cat([getattr(part, name) for part in parts])
        assert torch.equal(together, getattr(whole, name)), name
    assert parts[0].dropout_seeds + parts[1].dropout_seeds == whole.dropout_seeds
    assert len(set(whole.dropout_seeds)) == 4
    assert {part.tile for part in parts} == {whole.tile}


def build_large(share=None):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (2, 300, 520, 3), dtype=np.uint8)
    data = TrainingImages(images, np.array([0, 1]), PENALTIES)
    return images, DetectionSteps(data, Draws(2, 0.3, seed=0, tiles=2), 0, 5, share)


def test_of_a_large_image_the_student_sees_pieces_and_the_autoencoder_the_whole():
    images, steps = build_large()
    windows = np.lib.stride_tricks.sliding_window_view(images, (256, 256), axis=(1, 2))  # (2, 45, 265, 3, 256, 256)
    whole = np.stack([cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA) for image in images])
    corners = set()
    for batch in (steps[step] for step in range(5)):
        assert batch.image.shape == batch.jittered.shape == (2, 3, 256, 256)
        for piece, jittered, sample in zip(batch.image, batch.jittered, batch.samples, strict=True):
            pixels = (piece * 255).round().byte().numpy()
            places = np.argwhere((windows[sample][..., 0, 0] == pixels[:, 0, 0]).all(axis=-1))
            assert any(np.array_equal(windows[sample][tuple(place)], pixels) for place in places)
            corners.update(map(tuple, places))
            same = [np.corrcoef(jittered.numpy().ravel(), small.transpose(2, 0, 1).ravel())[0, 1] for small in whole]
            assert int(np.argmax(same)) == sample
    assert len(corners) > 5


def test_processes_share_a_batch_of_large_images_too():
    _, whole = build_large()
    parts = [build_large(Share(rank, 2))[1][3] for rank in (0, 1)]
    assert torch.equal(torch.cat([part.image for part in parts]), whole[3].image)
    assert torch.equal(torch.cat([part.jittered for part in parts]), whole[3].jittered)


def test_a_batch_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(ParamsError, match="batch_size that 2 processes can share evenly, got 3"):
        build(batch_size=3, share=Share(0, 2))


def test_a_penalty_tile_is_cut_from_the_crop():
    whole, tiled = build(), build(parts=2)
    for step in range(5):
        tile = tiled[step].penalty_tile
        assert tiled[step].penalty.shape[-2:] == (144, 144)
        assert torch.equal(tile.crop_image(whole[step].penalty), tiled[step].penalty)


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_of_the_penalties_a_share_are_normal_images_with_a_defect(share):
    """The rest are photographs as ever, of which all cells count."""
    data = TrainingImages(IMAGES, np.array([0, 2, 3]), PENALTIES)
    plain = DetectionSteps(data, Draws(1, 0.0, 0), 0, 100)
    mixed = DetectionSteps(data, Draws(1, 0.0, 0, penalty_defects=share), 0, 100)
    painted = 0
    for step in range(100):
        photograph, either = plain[step], mixed[step]
        assert torch.equal(photograph.image, either.image)
        assert photograph.penalty_cells is None
        assert either.penalty.shape == photograph.penalty.shape
        assert either.penalty_cells.shape == (1, 56, 56)
        if torch.equal(photograph.penalty, either.penalty):
            assert bool(either.penalty_cells.all())
        else:
            painted += 1
    assert abs(painted - 100 * share) <= 15


def test_defects_are_painted_on_normal_images_alone():
    images = IMAGES.copy()
    images[[0, 2, 3]] //= 8  # the normal ones are dark
    data = TrainingImages(images, np.array([0, 2, 3]), PENALTIES)
    steps = DetectionSteps(data, Draws(1, 0.0, 0, penalty_tiles=3, penalty_defects=1.0), 0, 20)
    assert all(float(steps[step].penalty.median()) < 25 / 255 for step in range(20))


@pytest.mark.parametrize("side", [40, 64, 300])
def test_defects_fit_where_images_are_smaller_or_larger_than_a_penalty(side):
    images = RNG.integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    steps = DetectionSteps(
        TrainingImages(images, np.arange(2), PENALTIES), Draws(2, 0.0, 0, 1, 2, penalty_defects=1.0), 0, 3
    )
    batch = steps[1]
    assert batch.penalty.shape[0] == len(batch.penalty_cells) == 2


def test_processes_share_painted_defects_image_by_image():
    data = TrainingImages(IMAGES, np.array([0, 2, 3]), PENALTIES)
    draws = Draws(4, 0.3, 0, 2, 2, penalty_defects=0.5)
    whole = DetectionSteps(data, draws, 5, 1)[0]
    parts = [DetectionSteps(data, draws, 5, 1, Share(rank, 2))[0] for rank in (0, 1)]
    assert torch.equal(whole.penalty, torch.cat([part.penalty for part in parts]))
    assert torch.equal(whole.penalty_cells, torch.cat([part.penalty_cells for part in parts]))


def test_a_batch_says_which_images_it_holds():
    data = TrainingImages(IMAGES, np.array([0, 2, 3]), PENALTIES)
    steps = DetectionSteps(data, Draws(2, 0.3, 0), 0, 5, hard_sampling=HardSampling(np.array([0.0, 0.0, 1.0]), 1.0))
    for batch in (steps[index] for index in range(5)):
        assert batch.samples == (2, 2)
        assert torch.equal(batch.image, convert_to_tensor(IMAGES[[3, 3]]))
