"""What is said of the threshold."""

from dataclasses import replace

import pytest

from efficientad.reporting.page.promise import read_promise
from efficientad.reporting.page.verdicts import Counts

COUNTS = Counts(passed=30, false_alarms=0, found=0, missed=0)


def test_the_numbers_are_those_of_calibrate(sources):
    promise = read_promise(sources, COUNTS)
    assert (promise.threshold, promise.rate, promise.asked, promise.images, promise.parts) == (0.5, 0.04, 0.05, 24, 24)
    assert promise.at_most == pytest.approx(1 - 0.05 ** (1 / 24))  # all 24 scores are below the threshold
    assert promise.tested_at_most == pytest.approx(1 - 0.05 ** (1 / 30))


def test_several_images_of_a_part_have_no_bound_of_one_detector(sources):
    rows = [replace(row, part=str(index // 2)) for index, row in enumerate(sources.rows)]
    promise = read_promise(replace(sources, rows=rows), COUNTS)
    assert (promise.parts, promise.at_most) == (12, None)
