"""The float model, and what `quantise` makes of it: half a minute each, so one time for each choice."""

from functools import cache

import pytest
from int8_data import NORMALS

from efficientad.deploy.export.int8.quantise import quantise


@pytest.fixture(scope="session")
def float_xml(models):
    return models / "openvino/fp32/1/model.xml"


@pytest.fixture(scope="session")
def quantise_once(float_xml):
    quantised = cache(lambda kept: quantise(float_xml, NORMALS, kept))
    return lambda kept: quantised(kept).clone()
