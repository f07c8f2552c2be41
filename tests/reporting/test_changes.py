import pytest

from efficientad.reporting.changes import draw_bars, list_moved, render_table

BEFORE = {"items": {"L/a/0": {"image_auroc": 0.9, "au_pro": 0.8}, "L/b/0": {"image_auroc": 0.7}}}
NOW = {"items": {"L/a/0": {"image_auroc": 0.95, "au_pro": 0.8004}, "L/b/0": {"image_auroc": 0.7},
                 "S/a/0": {"image_auroc": 0.6}}}  # fmt: skip


def test_a_table_has_each_item_the_mean_of_each_size_and_what_changed():
    _, _, *rows = render_table(NOW, BEFORE).splitlines()
    assert rows == [
        "| L/a/0 | 95.0 (+5.0) | 80.0 |",  # a change that the digits do not show is none
        "| L/b/0 | 70.0 | - |",
        "| S/a/0 | 60.0 | - |",
        "| mean of L | 82.5 (+2.5) | 80.0 |",
    ]


def test_without_an_earlier_summary_there_are_values_alone():
    assert "(" not in render_table(NOW, {})


def test_bars_have_the_earlier_values_as_a_line_where_every_item_has_one():
    bars = draw_bars(BEFORE, NOW, "image_auroc")
    assert 'x-axis ["L/a/0", "L/b/0"]' in bars
    assert 'y-axis "percent" 60 --> 100' in bars
    assert "bar [90.0, 70.0]\n    line [95.0, 70.0]" in bars
    assert "line" not in draw_bars(NOW, BEFORE, "image_auroc")
    assert draw_bars(NOW, BEFORE, "none") == ""


@pytest.mark.parametrize(("tolerance", "moved"), [(0.01, ["L/a/0 image_auroc: 0.9000 -> 0.9500"]), (0.06, [])])
def test_what_moved_by_more_than_the_tolerance_is_named(tolerance, moved):
    assert list_moved(NOW, BEFORE, tolerance) == moved
