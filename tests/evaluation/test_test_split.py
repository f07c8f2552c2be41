"""Which images of a test split count in which metric."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from slow_reference import integrate_pro, trace_pro
from test_outlines import compare_sets

from efficientad.data.arrays.annotations import Annotations
from efficientad.data.arrays.prepared import Prepared, PreparedRow
from efficientad.data.arrays.rows import Rows
from efficientad.evaluation.test_split import TestSplit, build_test_split, collect_pixels, describe_verdicts, measure

SHAPE = (9, 7)
LABELS = np.array([0, 1, 1, 0, 1])
KNOWN = np.array([False, True, False, True, True])  # the first normal image came without a mask, as most do


def build_split(**changes):
    """Two normal images; three defects, the map of each high where it is: of the second nobody painted a mask."""
    rng = np.random.default_rng(0)
    defects = rng.random((5, *SHAPE)) > 0.7
    maps = (rng.normal(size=defects.shape) + 2 * defects * LABELS[:, None, None]).astype(np.float32)
    masks = defects & (KNOWN & (LABELS == 1))[:, None, None]
    images = Rows(np.zeros((5, *SHAPE, 3), np.uint8))
    names, kinds = list("abcde"), ["good", "dent", "dent", "good", "hole"]
    scores = rng.normal(size=5).astype(np.float32)
    return replace(TestSplit(names, kinds, LABELS, images, Rows(masks), KNOWN, Rows(maps), scores), **changes)


def read(rows):
    return np.stack([rows[index] for index in range(len(rows))])


def test_the_pixels_of_a_defect_without_a_mask_count_as_nothing():
    """Neither as good ones nor as defective: the pixel metrics are those of the other four images."""
    split, known = build_split(), [0, 1, 3, 4]
    maps, masks = read(split.maps)[known], read(split.masks)[known]
    metrics = measure(split, 0.3, 0.5)
    assert metrics["pixel_auroc"] == pytest.approx(roc_auc_score(masks.ravel(), maps.ravel()))
    assert metrics["au_pro"] == pytest.approx(integrate_pro(trace_pro(maps, masks), 0.3))
    ious = [compare_sets(one, mask, 0.5) for one, mask in zip(maps, masks, strict=True) if mask.any()]
    assert metrics["outline_iou"] == pytest.approx(np.mean(ious))
    for found, expected in zip(collect_pixels(split), (maps, masks), strict=True):
        np.testing.assert_array_equal(read(found), expected)


@pytest.mark.parametrize("label", [0, 1])
def test_one_image_of_a_class_is_enough(label):
    labels = np.full(5, 1 - label)
    labels[2] = label
    split = build_split(labels=labels)
    assert measure(split, 0.3)["image_auroc"] == pytest.approx(roc_auc_score(labels, split.scores))


def test_its_score_counts_as_that_of_any_defect():
    split = build_split()
    assert measure(split, 0.3)["image_auroc"] == pytest.approx(roc_auc_score(LABELS, split.scores))


def test_the_limit_is_that_of_the_false_positive_rate():
    split, known = build_split(), [0, 1, 3, 4]
    points = trace_pro(read(split.maps)[known], read(split.masks)[known])
    assert measure(split, 0.1)["au_pro"] == pytest.approx(integrate_pro(points, 0.1))


def test_what_cannot_be_measured_is_left_out():
    image_keys, pixel_keys = {"image_auroc", "image_ap", "image_f1_max"}, {"pixel_auroc", "au_pro"}
    split = build_split()
    assert set(measure(split, 0.3)) == image_keys | pixel_keys
    assert set(measure(split, 0.3, 0.5)) == image_keys | pixel_keys | {"outline_iou"}
    no_masks = replace(split, is_annotated=np.zeros(5, bool))
    assert set(measure(no_masks, 0.3, 0.5)) == image_keys
    only_good_masks = replace(split, is_annotated=KNOWN & (LABELS == 0))
    assert set(measure(only_good_masks, 0.3, 0.5)) == image_keys
    for label in (0, 1):
        assert not image_keys & set(measure(replace(split, labels=np.full(5, label)), 0.3, 0.5))


def test_verdicts_are_counted_and_a_score_on_the_threshold_is_normal():
    split = build_split(scores=np.array([0.5, 0.5, 0.6, 0.7, 0.9], np.float32))
    assert describe_verdicts(split, 0.5) == {
        "threshold": 0.5, "true_positive": 2, "false_positive": 1, "true_negative": 1, "false_negative": 1,
        "false_alarm_rate": 0.5, "miss_rate": pytest.approx(1 / 3),
    }  # fmt: skip
    assert describe_verdicts(replace(split, labels=np.zeros(5, int)), 0.5)["miss_rate"] is None


def build_prepared():
    """An image of each split twice, in turn; the second test image has a defect, which is annotated."""
    splits = ["test", "train", "validation"] * 2
    rows = tuple(
        PreparedRow(f"{split}/{n}", split, int(n == 3), "dent" if n == 3 else "good", n == 3, str(n), 9, 7)
        for n, split in enumerate(splits)
    )
    images = np.arange(6, dtype=np.uint8).repeat(9 * 7 * 3).reshape(6, 9, 7, 3)
    masks = np.zeros((6, 9, 7), bool)
    masks[3, 2, 2] = True
    annotations = Annotations(Rows(masks[3:4]), np.array([3]), np.array([1.0]))
    return Prepared(rows, images, masks, SHAPE, None, (), (), annotations)


@pytest.mark.parametrize("chosen", [None, [3], [0, 3]])
def test_a_split_holds_the_test_images_or_the_chosen_ones_in_their_order(chosen):
    rows = [0, 3] if chosen is None else chosen
    maps, scores = Rows(np.zeros((len(rows), *SHAPE), np.float32)), np.zeros(len(rows), np.float32)
    split = build_test_split(build_prepared(), maps, scores, None if chosen is None else np.array(chosen))
    assert list(split.names) == [f"test/{row}" for row in rows]
    assert list(split.defects) == ["dent" if row == 3 else "good" for row in rows]
    assert split.labels.tolist() == split.is_annotated.tolist() == [int(row == 3) for row in rows]
    assert [int(one[0, 0, 0]) for one in split.images] == rows
    assert [bool(one.any()) for one in split.masks] == [row == 3 for row in rows]
    assert split.annotations.images.tolist() == [rows.index(3)]


def test_without_annotations_there_are_none():
    prepared = replace(build_prepared(), annotations=None)
    assert build_test_split(prepared, Rows(np.zeros((2, *SHAPE))), np.zeros(2)).annotations is None
