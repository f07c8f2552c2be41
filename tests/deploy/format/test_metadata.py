import math
import re
from dataclasses import replace

import onnx
import pytest
from import_closure import ROOT
from odd_values import IMPOSSIBLE, POSSIBLE
from tiny_models import HEADER

from efficientad import __version__
from efficientad.deploy.engines.core import open_core
from efficientad.deploy.format.metadata import describe_model, parse_metadata
from efficientad.errors import ModelError
from efficientad.model.header import ModelHeader
from efficientad.model.header_values import VERSIONS


def test_metadata_say_all_that_the_header_does():
    assert parse_metadata(describe_model(HEADER), "here") == HEADER
    assert parse_metadata(describe_model(replace(HEADER, code_hash="")), "here").code_hash == ""


def test_both_files_hold_them_where_model_api_looks(models):
    described = describe_model(HEADER)
    stored = {entry.key: entry.value for entry in onnx.load(str(models / "detector.onnx")).metadata_props}
    digest = stored.pop("model_info checksum")
    assert stored == {f"model_info {key}": value for key, value in described.items()}
    xml = models / "openvino/fp32/1/model.xml"
    held = open_core().read_model(xml).get_rt_info(["model_info"]).value
    assert held.pop("weights_bytes") == str(xml.with_suffix(".bin").stat().st_size)
    assert len({digest, held.pop("checksum")}) == 2
    assert held == described


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
    asked = set(re.findall(r'(?:metadata\.get_\w+|values\.at)\("(\w+)"', text))
    assert len(asked) > 6
    assert asked <= set(describe_model(HEADER))


@pytest.mark.parametrize(("key", "value"), IMPOSSIBLE)
def test_impossible_values_are_refused_by_the_key_in_the_file(key, value):
    with pytest.raises(ModelError, match=rf"expected .* as '{key}' in the metadata of model\.xml, got '.*; export it"):
        parse_metadata(describe_model(HEADER) | {key: value}, "model.xml")


@pytest.mark.parametrize(("key", "value"), POSSIBLE)
def test_odd_values_that_are_what_they_must_be_are_read(key, value):
    parse_metadata(describe_model(HEADER) | {key: value}, "here")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", math.nan), ("threshold", 10**400), ("threshold", True), ("threshold", None), ("threshold", [1]),
        ("display_scale", -1.0), ("image_size", [64, True]), ("image_size", 64), ("category", 5), ("version", 0.1),
        ("branches", {"student": 1}), ("branches", [1, 2, 3]), ("size", None),
    ],
)  # fmt: skip
def test_json_values_of_other_types_are_refused(name, value):
    with pytest.raises(ModelError, match=f"as '{name}' in the metadata of here"):
        ModelHeader.parse(HEADER.describe() | {name: value}, "here")


def test_the_package_reads_the_models_that_it_writes():
    assert parse_metadata(describe_model(replace(HEADER, version=__version__)), "here").version == __version__
    assert (ROOT / "cpp/src/names.hpp").read_text("utf-8").count(f'kVersion = "{VERSIONS[0]}"') == len(VERSIONS) == 1


def test_what_is_missing_is_named():
    described = describe_model(HEADER)
    del described["training_data"]
    with pytest.raises(ModelError, match=r"'training_data' in the metadata of model\.xml"):
        parse_metadata(described, "model.xml")
