"""Which models are served, and by which names."""

import shutil

import numpy as np
import pytest
from running_server import GOOD_SCORES, load, write_scores

from efficientad.errors import ModelError


def test_a_folder_is_called_by_its_product_and_a_path_as_it_is_told(folder, models):
    loaded = load(str(folder), f"front={models}", f"half={models / 'openvino/fp16/1/model.xml'}")
    assert list(loaded) == ["washer", "front", "half"]
    assert [model.name for model in loaded.values()] == list(loaded)


def test_a_path_with_an_equals_sign_is_a_path(models, tmp_path):
    (tmp_path / "line=7").symlink_to(models)
    assert list(load(str(tmp_path / "line=7"))) == ["washer"]


def test_scores_of_held_out_good_images_lie_beside_a_model(folder, models):
    loaded = load(str(folder), f"fp16={folder / 'openvino/fp16'}", f"other={models}")
    for name in ("washer", "fp16"):
        np.testing.assert_array_equal(loaded[name].good_scores, np.float32(GOOD_SCORES))
    assert loaded["other"].good_scores is None


def test_an_int8_model_has_only_scores_of_its_own(models, tmp_path):
    """The pipeline's table is of the float model, whose threshold is another."""
    shutil.copytree(models / "openvino/fp32", tmp_path / "openvino/int8")
    write_scores(tmp_path / "scores.csv")
    path = tmp_path / "openvino/int8"
    assert load(str(path))["washer"].good_scores is None
    write_scores(path / "1/scores.csv")
    assert len(load(str(path))["washer"].good_scores) == len(GOOD_SCORES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{models}", "{models}"], "'washer' twice; give one: NAME="),
        (["a b={models}"], "got 'a b'"),
        (["{models}/detector.onnx"], r"expected an OpenVINO model \(.xml\) to serve"),
        (["{models}/absent"], "found none"),
    ],
)
def test_what_cannot_be_served(models, arguments, message):
    with pytest.raises(ModelError, match=message):
        load(*(argument.format(models=models) for argument in arguments))
