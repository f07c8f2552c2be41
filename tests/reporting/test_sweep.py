import pytest

from efficientad.data.images.reading import read_image
from efficientad.errors import DataError
from efficientad.reporting.sweep import collect_points, draw_sweep


def revision(value, result):
    data = {"params": {"params.yaml": {"data": {"fit": {"patches": {"fine": value}}}}},
            "metrics": {"metrics/summary.json": {"data": {"mean": {"au_pro": result}}}}}  # fmt: skip
    return {"data": data}


def experiment(*revisions):
    return {"name": "x", "revs": [*revisions]}


TABLE = [
    revision(2000, 0.9),
    revision(2000.0000000000002, 0.9)
    | {"experiments": [experiment(revision(500, 0.7)), experiment({"error": "failed"})]},
    {"experiments": None, "data": None},
]


def test_points_are_of_experiments_and_commits_each_once_and_in_order():
    assert collect_points(TABLE, "fit.patches.fine", "au_pro") == [(500, 0.7), (2000, 0.9)]


@pytest.mark.parametrize(("param", "metric"), [("fit.patches.coarse", "au_pro"), ("fit.patches.fine", "none")])
def test_fewer_than_two_values_are_refused(param, metric):
    with pytest.raises(DataError, match="two values of"):
        collect_points(TABLE, param, metric)


def test_the_picture_is_a_picture(tmp_path):
    draw_sweep([(500, 0.7), (2000, 0.9)], "fit.patches.fine", "au_pro", tmp_path / "new/sweep.png")
    assert read_image(tmp_path / "new/sweep.png").shape == (480, 720, 3)
