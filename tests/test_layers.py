"""The boundaries of ARCHITECTURE.md, read from the import statements of every file."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from import_closure import ROOT, list_imported_names

from efficientad.data.images import write_png

PACKAGE = ROOT / "src" / "efficientad"
FILES = sorted(PACKAGE.rglob("*.py"))
# A file may import from its own layer and from those below.
LAYERS = [
    ("errors", "__init__"),
    ("parsing",),
    ("params",),
    ("layout", "scratch", "calibration", "networks", "data", "metrics", "stage"),
    ("maps",),
    ("detector",),
    ("weights", "inference"),
    ("memories", "quantiles", "reconstruction"),
    ("training", "reporting", "probe"),
    ("deploy",),
    ("cli",),
]
# What an inspection station does not install.
PIPELINE = {"torch", "lightning", "matplotlib", "sklearn", "scipy", "skimage", "onnx", "onnxruntime", "yaml", "dvc"}
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names}
ONLY_IN = {
    "cv2": ["src/efficientad/data/images.py"],
    "openvino": ["src/efficientad/deploy/openvino.py", "src/efficientad/deploy/quantise.py"],
    "nncf": ["src/efficientad/deploy/quantise.py"],
    "onnxruntime": ["src/efficientad/deploy/onnxruntime.py"],
    "yaml": ["src/efficientad/params.py"],
    "lightning": ["src/efficientad/training/"],
    "matplotlib": ["src/efficientad/reporting/"],
    "safetensors": ["src/efficientad/weights.py"],
    "dvc": [],
}


def name_layer(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_file_has_a_layer():
    assert {name_layer(file) for file in FILES} == set(HEIGHT)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_imports_point_down(file):
    for name in list_imported_names(file):
        parts = name.split(".")
        if parts[0] == "efficientad" and len(parts) > 1 and parts[1] in HEIGHT:
            assert HEIGHT[parts[1]] <= HEIGHT[name_layer(file)], f"{file} imports {name}"


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_known_where_it_belongs_alone(library):
    users = {
        file.relative_to(ROOT).as_posix()
        for file in FILES
        if any(name.split(".")[0] == library for name in list_imported_names(file))
    }
    assert all(any(user.startswith(place) for place in ONLY_IN[library]) for user in users), users
    assert users or not ONLY_IN[library], f"nothing uses {library}"


def test_metrics_know_no_torch_and_data_knows_no_torch():
    for file in [*(PACKAGE / "metrics").rglob("*.py"), *(PACKAGE / "data").rglob("*.py")]:
        assert not any(name.split(".")[0] == "torch" for name in list_imported_names(file)), file


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("efficientad", {"torch", "numpy", "cv2"}),
        ("efficientad.detector", {"lightning", "cv2", "openvino", "matplotlib", "sklearn"}),
        ("efficientad.cli", {"torch", "lightning", "openvino", "cv2"}),
        ("efficientad.deploy.batch", PIPELINE),
        ("efficientad.deploy.openvino", PIPELINE),
        ("efficientad.deploy.timing", PIPELINE),
    ],
)
def test_importing_a_module_loads_no_more_than_it_needs(module, absent):
    code = f"import sys, {module}; print(*sorted({absent!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    "command", [["predict", "images", "--model"], ["benchmark", "--seconds", "0"]], ids=lambda command: command[0]
)
def test_a_command_of_the_station_runs_with_the_stations_packages_alone(models, tmp_path, command):
    (tmp_path / "images").mkdir()
    write_png(tmp_path / "images/a.png", np.zeros((64, 64, 3), np.uint8))
    code = (
        "import sys; from efficientad.cli import main; assert main(sys.argv[1:]) == 0; "
        f"print('loaded', *sorted({PIPELINE!r} & set(sys.modules)))"
    )
    line = [sys.executable, "-c", code, *command, str(models)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "loaded"
