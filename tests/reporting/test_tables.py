"""Tables to the byte."""

import numpy as np
import pytest

from efficientad.errors import MetricError
from efficientad.evaluation.image_level import compute_roc_curve
from efficientad.reporting.tables import write_confusion_csv, write_curve_csv, write_histogram_csv, write_scores_csv


def test_curve(tmp_path):
    path = tmp_path / "new folder" / "curve.csv"
    write_curve_csv(path, {"x": np.array([0.1, 1 / 3], np.float32), "y": np.array([1e-9, -123456.789]), "n": [1, 2]})
    assert path.read_bytes() == b"x,y,n\n0.1,1e-09,1\n0.333333,-123457.0,2\n"


def test_columns_of_a_curve(tmp_path):
    path = tmp_path / "roc.csv"
    write_curve_csv(path, vars(compute_roc_curve(np.array([2.0, 1.0]), np.array([1, 0]))))
    assert path.read_text().splitlines() == [
        "false_positive_rate,true_positive_rate,thresholds",
        "0.0,0.0,2.0",
        "0.0,1.0,1.0",
        "1.0,1.0,1.0",
    ]


def test_confusion(tmp_path):
    path = tmp_path / "confusion.csv"
    write_confusion_csv(path, np.array([0.5, 0.6, 0.4]), np.array([0, 0, 1]), 0.5)
    expected = (
        b"actual,predicted,images\nnormal,normal,1\nnormal,anomalous,1\nanomalous,normal,1\nanomalous,anomalous,0\n"
    )
    assert path.read_bytes() == expected


def test_histogram(tmp_path):
    """Fourteen bins from 0 to 12 for one normal and three anomalous scores; empty ones are left out."""
    path = tmp_path / "score_histogram.csv"
    write_histogram_csv(path, np.array([0.5, 11.2, 0.0, 12.0]), np.array([0, 1, 1, 1]), 6.0)
    assert path.read_text().splitlines() == [
        "class,low,high,images,threshold",
        "normal,0.0,0.857143,1,6.0",
        "anomalous,0.0,0.857143,1,6.0",
        "anomalous,11.1429,12.0,2,6.0",
    ]


def test_scores(tmp_path):
    path = tmp_path / "scores.csv"
    scores = np.array([0.1, 0.9], np.float32)
    write_scores_csv(
        path, ["a, b.png", "ü.png"], np.array([0, 1]), ["good", "scratch"], scores, scores > 0.5, [np.nan, 0.25]
    )
    assert path.read_text(encoding="utf-8").splitlines() == [
        "name,label,defect,score,verdict,outline_iou",
        '"a, b.png",normal,good,0.1,normal,',
        "ü.png,anomalous,scratch,0.9,anomalous,0.25",
    ]


def test_lengths_that_differ_are_errors(tmp_path):
    path = tmp_path / "table.csv"
    two, three = np.zeros(2), np.zeros(3)
    with pytest.raises(MetricError, match="columns of the same length"):
        write_curve_csv(path, {"x": two, "y": three})
    with pytest.raises(MetricError, match="one shape"):
        write_confusion_csv(path, two, three, 0.5)
    with pytest.raises(MetricError, match="got 1, 2, 2, 2 and 2"):
        write_scores_csv(path, ["a"], two, ["", ""], two, two, two)
    assert not path.exists()
