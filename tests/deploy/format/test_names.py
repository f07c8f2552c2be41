"""The C++ program reads the names that Python writes."""

import re

from import_closure import ROOT

from efficientad.deploy.format import names
from efficientad.deploy.format.files import locate_ir


def read_constants():
    text = (ROOT / "cpp/src/names.hpp").read_text("utf-8")
    return dict(re.findall(r'constexpr const char\* (\w+) = "(.*?)";', text))


def test_names_of_the_graph_are_those_of_the_cpp_program():
    constants = read_constants()
    assert constants["kImage"] == names.IMAGE
    assert (constants["kAnomalyMap"], constants["kAnomalyScore"]) == names.OUTPUTS[:2]


def test_places_of_files_are_those_of_the_cpp_program(tmp_path):
    constants = read_constants()
    assert locate_ir(tmp_path, "int8") == tmp_path / constants["kRepository"] / "int8" / "1" / constants["kModelFile"]
