"""What the stages wrote is read back, and another file is one clear error."""

import numpy as np
import pytest
from tiny_page import draw_split

from efficientad.errors import DataError
from efficientad.evaluation.curves import downsample_curve
from efficientad.evaluation.image_level import compute_roc_curve
from efficientad.reporting.page.sources import read_cases, read_images, read_pro, read_roc


def test_images_and_curves_are_those_that_were_written(sources):
    split = draw_split()
    assert [image.name for image in sources.images] == split.names
    np.testing.assert_allclose([image.score for image in sources.images], split.scores, rtol=1e-5)
    assert [image.is_alarm for image in sources.images] == (split.scores > 0.5).tolist()
    assert [not np.isnan(image.outline_iou) for image in sources.images] == [mask.any() for mask in split.masks]
    expected = downsample_curve(compute_roc_curve(split.scores, split.labels))
    np.testing.assert_allclose(sources.roc.true_positive_rate, expected.true_positive_rate, rtol=1e-5)


def test_the_models_headers_are_found_by_precision(sources):
    assert set(sources.headers) == {"fp16", "fp32"}


def test_a_curve_without_rows_is_none(tmp_path):
    (tmp_path / "roc.csv").write_text("false_positive_rate,true_positive_rate,thresholds\n")
    (tmp_path / "pro.csv").write_text("false_positive_rate,region_overlap,thresholds\n")
    assert read_roc(tmp_path / "roc.csv") is None
    assert read_pro(tmp_path / "pro.csv") is None


@pytest.mark.parametrize("read", [read_images, read_roc, read_pro])
def test_another_table_is_an_error_that_names_it(tmp_path, read):
    (tmp_path / "table.csv").write_text("name,label\na.png,normal\n")
    with pytest.raises(DataError, match=r"table\.csv, got name, label; run the stage `evaluate` again"):
        read(tmp_path / "table.csv")
    with pytest.raises(DataError, match=r"none\.csv"):
        read(tmp_path / "none.csv")


def test_cases_that_are_missing_are_an_error(tmp_path):
    with pytest.raises(DataError, match=r"cases\.csv.*run the stage `evaluate` again"):
        read_cases(tmp_path)
