"""What several tests of the station share.

The C++ programs are built once; without their tools the tests are skipped, in continuous integration they fail.
"""

import os
import subprocess

import openvino.utils
import pytest
from cpp_program import Build, find_missing
from image_folder import draw_folder
from import_closure import ROOT

from efficientad.deploy.engines.engine import EngineOptions
from efficientad.deploy.engines.load import load_engine


@pytest.fixture
def folder(tmp_path):
    draw_folder(tmp_path / "images")
    return tmp_path / "images"


@pytest.fixture(scope="session")
def engine(models):
    """The engine of the folder's FP32 model, for many images."""
    return load_engine(models, EngineOptions(hint="THROUGHPUT"))


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    if missing := find_missing():
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        stop(f"expected {', '.join(missing)} to build the C++ program; cpp/README.md names the packages")
    folder = tmp_path_factory.mktemp("cpp")
    configure = [
        "cmake", "-S", str(ROOT / "cpp"), "-B", str(folder), "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON",
        f"-DOpenVINO_DIR={openvino.utils.get_cmake_path()}",
    ]  # fmt: skip
    for command in (configure, ["cmake", "--build", str(folder)]):
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
    return Build(folder)
