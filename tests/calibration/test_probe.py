"""The probe finds what is far from all normal patches, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from efficientad.calibration.probe import ProbeParams, build_backbone_features, probe_features
from efficientad.data.arrays.prepared import Prepared, PreparedRow
from efficientad.errors import DataError, MetricError
from efficientad.teacher.backbones import build_backbone

SIDE = 64  # 16 cells, of which `compute_features` leaves out 4 a side


def compute_features(image):
    """Mean colour of each 4 px cell without the border: features that one can see."""
    return torch.nn.functional.avg_pool2d(image, 4)[:, :, 4:-4, 4:-4]


def build_prepared(train, good, bad, spot=200, known=True):
    """Grey noise; a bright square of 8 px in the middle of the bad ones."""
    rng = np.random.default_rng(0)
    count = train + good + bad
    images = rng.integers(90, 110, (count, SIDE, SIDE, 3), dtype=np.uint8)
    masks = np.zeros((count, SIDE, SIDE), bool)
    masks[train + good :, 28:36, 28:36] = known
    images[train + good :, 28:36, 28:36] = spot
    rows = tuple(
        PreparedRow(str(i), "train" if i < train else "test", int(i >= train + good), "x", known, str(i), SIDE, SIDE)
        for i in range(count)
    )
    return Prepared(rows, images, masks, (SIDE, SIDE), None, (), ())


def test_a_defect_that_no_normal_image_shows_is_found_in_its_place():
    found = probe_features(compute_features, build_prepared(6, 4, 4), ProbeParams())
    assert found["image_auroc"] == 1.0
    assert found["au_pro"] > 0.95


def test_what_normal_images_show_is_no_defect():
    found = probe_features(compute_features, build_prepared(6, 40, 40, spot=100), ProbeParams())
    assert 0.3 < found["image_auroc"] < 0.7


def test_what_lies_between_normal_patches_is_a_defect():
    """Normal images are dark on the left and bright on the right; the defects are of the mean of both."""
    prepared = build_prepared(6, 8, 8, spot=130)
    images = prepared.images.copy()
    defect = prepared.masks[..., None]
    images[:, :, :32] -= np.where(defect, 0, 60).astype(np.uint8)[:, :, :32]
    images[:, :, 32:] += np.where(defect, 0, 120).astype(np.uint8)[:, :, 32:]
    found = probe_features(compute_features, replace(prepared, images=images), ProbeParams())
    assert found["image_auroc"] == 1.0
    assert found["au_pro"] > 0.95


def test_every_channel_counts_alike_however_large_its_values_are():
    """The defect is red; of the channels one is red, sixteen are noise of blue, a thousand times as large."""

    def compute(image):
        cells = compute_features(image)
        noise = [image[:, 2:, 16 + row : -16 : 4, 16 + column : -16 : 4] for row, column in np.ndindex(4, 4)]
        return torch.cat([cells[:, :1], torch.cat(noise, dim=1) * 1000 + 10_000], dim=1)

    prepared = build_prepared(6, 8, 8, spot=130)
    images = prepared.images.copy()
    images[..., 1:] = np.random.default_rng(1).integers(90, 110, images[..., 1:].shape)
    found = probe_features(compute, replace(prepared, images=images), ProbeParams())
    assert found["image_auroc"] == 1.0
    assert found["au_pro"] > 0.9


def test_a_defect_without_a_mask_counts_in_no_pixel_metric_and_a_good_image_does():
    known = build_prepared(6, 4, 4)
    more = build_prepared(6, 4, 6)
    rows = tuple(replace(row, mask=row.mask and place < 14) for place, row in enumerate(more.rows))
    masks = more.masks.copy()
    masks[14:] = False
    unknown = Prepared(rows, more.images, masks, (SIDE, SIDE), None, (), ())
    alone = Prepared(rows[:14], more.images[:14], masks[:14], (SIDE, SIDE), None, (), ())
    expected = probe_features(compute_features, alone, ProbeParams())["au_pro"]
    assert probe_features(compute_features, unknown, ProbeParams())["au_pro"] == expected
    images = known.images.copy()
    images[6:10, 20:44, 20:44] = 255  # good, and farther from normal than the defects
    loud = Prepared(known.rows, images, known.masks, (SIDE, SIDE), None, (), ())
    assert probe_features(compute_features, loud, ProbeParams())["au_pro"] < expected - 0.2


def test_without_masks_there_is_no_pixel_metric():
    assert "au_pro" not in probe_features(compute_features, build_prepared(6, 4, 4, known=False), ProbeParams())


def test_repeats_bit_for_bit():
    prepared, params = build_prepared(6, 4, 4), ProbeParams(patches_per_image=20, bank_size=30)
    assert probe_features(compute_features, prepared, params) == probe_features(compute_features, prepared, params)


def test_says_what_is_missing():
    with pytest.raises(DataError, match="expected normal training images"):
        probe_features(compute_features, build_prepared(0, 4, 4), ProbeParams())
    with pytest.raises(MetricError, match="Expected normal and anomalous"):
        probe_features(compute_features, build_prepared(4, 4, 0), ProbeParams())


def test_a_backbone_wants_the_size_it_is_asked_at():
    with pytest.raises(DataError, match="expected images of 256 px"):
        build_backbone_features(build_backbone("efficientnet_lite0"))(torch.rand(1, 3, 128, 128))


def test_a_backbone_gives_the_teachers_grid():
    features = build_backbone_features(build_backbone("efficientnet_lite0"))(torch.rand(1, 3, 256, 256))
    assert features.shape == (1, 384, 56, 56)
