"""Fixtures of several folders. Tests import their helpers, such as `import_closure`, by name.

The C++ programs are built once; without their tools those tests are skipped, in continuous integration they fail.
"""

import os
import subprocess
import threading

import numpy as np
import openvino.utils
import pytest
from cpp_program import Build, find_missing
from import_closure import ROOT
from local_server import Server
from tiny_models import BANKS, HEADER, SIDE, build_tiny

from efficientad.deploy.export.onnx import write_onnx
from efficientad.deploy.export.openvino import write_openvino
from efficientad.model.weights import save_weights


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder as the pipeline leaves it, of an untrained but calibrated detector at 64 px."""
    folder = tmp_path_factory.mktemp("models")
    detector = build_tiny("S", BANKS)
    save_weights(detector, folder / "detector.safetensors", HEADER.describe() | {"memory_banks": BANKS})
    write_onnx(detector, HEADER, folder / "detector.onnx")
    for precision in ("fp32", "fp16"):
        write_openvino(
            folder / "detector.onnx", HEADER, folder / "openvino" / precision / "1/model.xml", precision == "fp16"
        )
    return folder


@pytest.fixture(scope="session")
def sources(tmp_path_factory, models):
    """What a detector's page is made of: see `tiny_page`."""
    from tiny_page import write_sources  # which loads what draws

    return write_sources(tmp_path_factory.mktemp("page"), models)


@pytest.fixture(scope="session")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.closing.set()
        running.shutdown()
        thread.join()


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
