import re
from dataclasses import replace

import onnx
import openvino
import pytest
from import_closure import ROOT
from tiny_models import HEADER

from efficientad.deploy.format.metadata import describe_model, parse_metadata
from efficientad.errors import ModelError


def test_metadata_say_all_that_the_header_does():
    assert parse_metadata(describe_model(HEADER), "here") == HEADER
    assert parse_metadata(describe_model(replace(HEADER, code_hash="")), "here").code_hash == ""


def test_both_files_hold_them_where_model_api_looks(models):
    described = describe_model(HEADER)
    stored = {entry.key: entry.value for entry in onnx.load(str(models / "detector.onnx")).metadata_props}
    assert stored == {f"model_info {key}": value for key, value in described.items()}
    ir = openvino.Core().read_model(models / "openvino/fp32/1/model.xml")
    assert ir.get_rt_info(["model_info"]).value == described


def test_model_api_s_names_are_used_where_it_has_some():
    described = describe_model(HEADER)
    assert described["model_type"] == "AnomalyDetection"
    assert float(described["image_threshold"]) == float(described["pixel_threshold"]) == HEADER.threshold
    assert float(described["normalization_scale"]) == HEADER.display_scale


def test_files_from_before_branches_and_policies_are_still_read():
    described = describe_model(HEADER)
    for key in ("threshold_policy", "branches", "code_hash"):
        del described[key]
    assert parse_metadata(described, "here") == replace(HEADER, threshold_policy="rate", branches=(), code_hash="")


def test_the_c_plus_plus_program_asks_for_keys_of_the_same_list():
    text = (ROOT / "cpp/src/metadata.cpp").read_text("utf-8")
    asked = set(re.findall(r'(?:get_text|get_number|get_size|values.at)\("(\w+)"\)', text))
    assert len(asked) > 6
    assert asked <= set(describe_model(HEADER))


def test_what_is_missing_is_named():
    described = describe_model(HEADER)
    del described["training_data"]
    with pytest.raises(ModelError, match=r"'training_data' in the metadata of model\.xml"):
        parse_metadata(described, "model.xml")
