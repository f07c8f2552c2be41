"""The table of all detectors' metrics; the mean is a doctest."""

from efficientad.reporting.summary import write_summary_csv


def test_a_row_for_each_item_and_metric(tmp_path):
    metrics = {"L/a/0": {"image_auroc": 2 / 3, "au_pro": 1.0}, "L/b/0": {"au_pro": 0.5}}
    write_summary_csv(tmp_path / "summary.csv", metrics)
    assert (tmp_path / "summary.csv").read_bytes() == (
        b"item,metric,value\nL/a/0,image_auroc,0.666667\nL/a/0,au_pro,1.0\nL/b/0,au_pro,0.5\n"
    )
