"""Image metrics against brute force, hand-computed numbers and their invariances."""

import numpy as np
import pytest
from sklearn.metrics import auc, f1_score

from efficientad.errors import MetricError
from efficientad.evaluation.image_level import compute_confusion, compute_image_metrics, compute_roc_curve


def draw_scores(seed, size=60):
    """Scores with many ties and negative values, and labels of both classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(size) % 3 == 0
    return np.round(rng.normal(size=size) + labels, 1), labels.astype(int)


def test_hand_computed():
    metrics = compute_image_metrics(np.array([0.9, 0.8, 0.7, 0.1]), np.array([1, 0, 1, 0]))
    assert metrics["image_auroc"] == pytest.approx(3 / 4)
    assert metrics["image_ap"] == pytest.approx((1 + 2 / 3) / 2)
    assert metrics["image_f1_max"] == pytest.approx(2 * 2 / (2 * 2 + 1))


@pytest.mark.parametrize("seed", range(5))
def test_f1_max_against_every_threshold(seed):
    scores, labels = draw_scores(seed)
    brute = max(f1_score(labels, scores >= threshold) for threshold in np.unique(scores))
    assert compute_image_metrics(scores, labels)["image_f1_max"] == pytest.approx(brute, abs=1e-12)


@pytest.mark.parametrize("transform", [np.exp, lambda s: 1e6 * s - 3e6, np.arctan])
def test_monotone_transform_changes_nothing(transform):
    scores, labels = draw_scores(7)
    assert compute_image_metrics(transform(scores), labels) == compute_image_metrics(scores, labels)


def test_scores_apart_by_less_than_a_float32_step_are_no_tie():
    metrics = compute_image_metrics(np.array([1.0, 1.0 + 1e-12]), np.array([0, 1]))
    assert metrics["image_auroc"] == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_roc_curve_has_the_area_of_auroc_and_its_thresholds_work(seed):
    scores, labels = draw_scores(seed)
    curve = compute_roc_curve(scores, labels)
    area = auc(curve.false_positive_rate, curve.true_positive_rate)
    assert area == pytest.approx(compute_image_metrics(scores, labels)["image_auroc"], abs=1e-12)
    for false_rate, true_rate, threshold in zip(*vars(curve).values(), strict=True):
        confusion = compute_confusion(scores, labels, threshold)
        assert confusion.false_alarm_rate == false_rate
        assert confusion.miss_rate == pytest.approx(1 - true_rate)


def test_tied_scores_enter_the_roc_curve_together():
    curve = compute_roc_curve(np.array([5.0, 5.0, 1.0]), np.array([1, 0, 0]))
    assert curve.false_positive_rate.tolist() == [0.0, 0.5, 1.0]
    assert curve.true_positive_rate.tolist() == [0.0, 1.0, 1.0]


def test_confusion_by_hand_and_a_score_on_the_threshold_is_normal():
    confusion = compute_confusion(np.array([0.5, 0.6, 0.5, 0.7]), np.array([0, 0, 1, 1]), 0.5)
    assert vars(confusion) == {
        "true_positive": 1,
        "false_positive": 1,
        "true_negative": 1,
        "false_negative": 1,
    }
    assert confusion.false_alarm_rate == confusion.miss_rate == 0.5


def test_rates_of_a_missing_class_are_none():
    only_normal = compute_confusion(np.array([0.1, 0.9]), np.array([0, 0]), 0.5)
    assert (only_normal.false_alarm_rate, only_normal.miss_rate) == (0.5, None)
    only_anomalous = compute_confusion(np.array([0.1, 0.9]), np.array([1, 1]), 0.5)
    assert (only_anomalous.false_alarm_rate, only_anomalous.miss_rate) == (None, 0.5)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([0.1, 0.2], [0, 0], "2 normal and 0 anomalous"),
        ([0.1, 0.2], [1, 1], "0 normal and 2 anomalous"),
        ([], [], "0 normal and 0 anomalous"),
        ([0.1, np.nan], [0, 1], "got nan at index 1"),
        ([np.inf, 0.1], [0, 1], "got inf at index 0"),
        ([0.1, np.inf, np.nan], [0, 1, 1], r"got inf at index 1 \(2 of 3 scores"),
        ([0.1, 0.2, 0.3], [0, 1], r"\(3,\) and \(2,\)"),
        ([0.1, 0.2], [0, 2], "labels 0"),
    ],
)
@pytest.mark.parametrize("compute", [compute_image_metrics, compute_roc_curve])
def test_undefined_metrics_are_errors(compute, scores, labels, message):
    with pytest.raises(MetricError, match=message):
        compute(np.array(scores), np.array(labels, dtype=int))


def test_scores_and_labels_are_one_row():
    square = np.array([[0.1, 0.2], [0.3, 0.4]])
    with pytest.raises(MetricError, match=r"got \(2, 2\) and \(2, 2\)"):
        compute_image_metrics(square, (square > 0.2).astype(int))
    with pytest.raises(MetricError, match=r"got \(\) and \(\)"):
        compute_image_metrics(np.array(0.1), np.array(1))


def test_a_threshold_of_nan_is_an_error():
    with pytest.raises(MetricError, match="NaN"):
        compute_confusion(np.array([0.1]), np.array([0]), float("nan"))
