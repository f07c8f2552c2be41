"""The accuracy on each kind of defect is that on a test split without the others."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from slow_reference import integrate_pro, trace_spro
from test_saturation import annotate, unite

from efficientad.data.arrays.rows import Rows
from efficientad.evaluation.kinds import measure_kinds
from efficientad.evaluation.test_split import TestSplit, measure

KINDS = ["good", "logical", "good", "structural", "logical", "structural", "good"]


@pytest.fixture
def split_and_defects():
    """Seven images of three kinds; the first logical one has two defects."""
    rng = np.random.default_rng(0)
    images = [1, 1, 3, 4, 5]
    masks = rng.random((5, 6, 8)) > 0.7
    defects = [
        (image, mask, float(mask.sum()) / (2 + n)) for n, (image, mask) in enumerate(zip(images, masks, strict=True))
    ]
    maps = rng.normal(size=(7, 6, 8)).astype(np.float32) + unite(defects, (7, 6, 8))
    labels = np.array([int(kind != "good") for kind in KINDS])
    scores = rng.normal(size=7).astype(np.float32)
    images_of = Rows(np.zeros((7, 6, 8, 3), np.uint8))
    known = np.ones(7, bool)
    rows = Rows(unite(defects, maps.shape))
    return TestSplit(KINDS, KINDS, labels, images_of, rows, known, Rows(maps), scores, annotate(defects)), defects


def test_each_kind_stands_beside_all_normal_images(split_and_defects):
    split, defects = split_and_defects
    metrics = measure_kinds(split)
    for kind in ("logical", "structural"):
        rows = [row for row, name in enumerate(KINDS) if name in ("good", kind)]
        of_kind = [(rows.index(image), mask, area) for image, mask, area in defects if image in rows]
        points = trace_spro(split.maps.array[rows], of_kind)
        assert metrics[f"image_auroc_{kind}"] == pytest.approx(roc_auc_score(split.labels[rows], split.scores[rows]))
        assert metrics[f"au_spro_005_{kind}"] == pytest.approx(integrate_pro(points, 0.05), abs=1e-12)
        assert metrics[f"au_spro_030_{kind}"] == pytest.approx(integrate_pro(points, 0.3), abs=1e-12)


def test_au_spro_is_the_mean_over_the_kinds(split_and_defects):
    metrics = measure_kinds(split_and_defects[0])
    mean = (metrics["au_spro_005_logical"] + metrics["au_spro_005_structural"]) / 2
    assert metrics["au_spro_005"] == pytest.approx(mean)
    assert len(metrics) == 2 + 3 * 2


def test_other_data_sets_have_the_metrics_that_they_had(split_and_defects):
    split = split_and_defects[0]
    plain = replace(split, annotations=None)
    assert measure_kinds(plain) == {}
    assert measure(plain, 0.3, 0.5) == measure(split, 0.3, 0.5)


def test_a_kind_without_normal_images_has_no_image_auroc(split_and_defects):
    split = split_and_defects[0]
    rows = np.flatnonzero(split.labels)
    chosen = replace(
        split, defects=[KINDS[row] for row in rows], labels=split.labels[rows], scores=split.scores[rows],
        maps=split.maps.select(rows), masks=split.masks.select(rows), annotations=split.annotations.select(rows),
    )  # fmt: skip
    assert {"au_spro_005", "au_spro_005_logical"} <= set(measure_kinds(chosen))
    assert not any("auroc" in name for name in measure_kinds(chosen))
