"""The boundaries of ARCHITECTURE.md, read from the import statements of every file."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from import_closure import ROOT, list_imported_names, list_imports

from efficientad.data.images.encoding import write_png

PACKAGE = ROOT / "src" / "efficientad"
FILES = sorted(PACKAGE.rglob("*.py"))
# A file may import from its own layer and from those before it.
LAYERS = [
    "errors.py", "__init__.py", "model/sizes.py", "pipeline/", "data/", "model/", "teacher/", "evaluation/",
    "calibration/", "training/", "deploy/", "reporting/", "serving/", "commands/", "cli.py",
]  # fmt: skip
# What these folders do not import although the order would allow it.
APART = {"deploy/": ("training", "teacher"), "reporting/": ("training", "calibration", "teacher")}
# What opens fixed paths.
STAGES_ONLY = ("pipeline.layout", "pipeline.stage", "pipeline.scratch", "pipeline.cache.locate_cache")
# What an inspection station does not install.
PIPELINE = {"torch", "lightning", "matplotlib", "sklearn", "scipy", "skimage", "onnx", "onnxruntime", "yaml", "dvc"}
ONLY_IN = {
    "cv2": ["data/images/"],
    "openvino": [
        "deploy/engines/core.py",
        "deploy/engines/openvino.py",
        "deploy/export/openvino.py",
        "deploy/export/int8/",
    ],
    "nncf": ["deploy/export/int8/quantise.py"],
    "onnxruntime": ["deploy/engines/onnxruntime.py"],
    "yaml": ["pipeline/yaml_file.py"],
    "lightning": ["training/"],
    "matplotlib": ["reporting/"],
    "jinja2": ["reporting/page/render.py"],
    "safetensors": ["model/weights.py"],
    "fastapi": ["serving/"],
    "starlette": ["serving/"],
    "uvicorn": ["serving/server.py"],
    "prometheus_client": ["serving/metrics.py"],
    "dvc": [],
}


def name_file(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def find_height(name: str) -> int:
    """Return the place in LAYERS of a file of the package; a file that is named comes before its folder."""
    if name in LAYERS:
        return LAYERS.index(name)
    return LAYERS.index(name.split("/")[0] + "/")


def list_package_imports(file: Path) -> set[str]:
    """Return the package's files that a file imports, as paths below the package; folders' sentences are left out."""
    return {name_file(imported) for imported in list_imports(file) if imported.name != "__init__.py"}


def test_the_package_has_no_loose_modules():
    assert {file.name for file in PACKAGE.glob("*.py")} == {"__init__.py", "cli.py", "errors.py"}


def test_init_files_hold_a_sentence_and_no_code():
    for file in PACKAGE.rglob("*/__init__.py"):
        body = ast.parse(file.read_text("utf-8")).body
        assert len(body) == 1, file
        assert isinstance(body[0], ast.Expr), file


@pytest.mark.parametrize("file", FILES, ids=name_file)
def test_imports_point_down(file):
    for imported in list_package_imports(file):
        assert find_height(imported) <= find_height(name_file(file)), f"{file} imports {imported}"


@pytest.mark.parametrize("folder", APART)
def test_folders_that_stay_apart(folder):
    for file in (PACKAGE / folder).rglob("*.py"):
        for imported in list_package_imports(file):
            assert imported.split("/")[0] not in APART[folder], f"{file} imports {imported}"


def test_library_code_opens_no_fixed_path():
    for file in FILES:
        if not name_file(file).startswith(("pipeline/", "commands/", "cli.py")):
            names = {name.removeprefix("efficientad.") for name in list_imported_names(file)}
            assert not names & set(STAGES_ONLY), file


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_known_where_it_belongs_alone(library):
    users = {
        name_file(file) for file in FILES if any(name.split(".")[0] == library for name in list_imported_names(file))
    }
    assert all(any(user.startswith(place) for place in ONLY_IN[library]) for user in users), users
    assert users or not ONLY_IN[library], f"nothing uses {library}"


def test_evaluation_and_data_know_no_torch():
    for file in [*(PACKAGE / "evaluation").rglob("*.py"), *(PACKAGE / "data").rglob("*.py")]:
        assert not any(name.split(".")[0] == "torch" for name in list_imported_names(file)), file


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("efficientad", {"torch", "numpy", "cv2"}),
        ("efficientad.model.detector", {"lightning", "cv2", "openvino", "matplotlib", "sklearn"}),
        ("efficientad.cli", {"torch", "lightning", "openvino", "cv2"}),
        ("efficientad.deploy.batch", PIPELINE),
        ("efficientad.deploy.engines.openvino", PIPELINE),
        ("efficientad.deploy.timing", PIPELINE),
        ("efficientad.deploy.watch", PIPELINE),
        ("efficientad.serving.app", PIPELINE),
    ],
)
def test_importing_a_module_loads_no_more_than_it_needs(module, absent):
    code = f"import sys, {module}; print(*sorted({absent!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    "command",
    [
        ["predict", "images", "--model"],
        ["benchmark", "--seconds", "0.01"],
        ["threshold", "--dry-run", "--good", "images"],
        ["verify"],
    ],
    ids=lambda command: command[0],
)
def test_a_command_of_the_station_runs_with_the_stations_packages_alone(models, tmp_path, command):
    (tmp_path / "images").mkdir()
    for index in range(19):
        write_png(tmp_path / f"images/{index}.png", np.full((64, 64, 3), index, np.uint8))
    code = (
        "import sys; from efficientad.cli import main; assert main(sys.argv[1:]) == 0; "
        f"print('loaded', *sorted({PIPELINE!r} & set(sys.modules)))"
    )
    line = [sys.executable, "-c", code, *command, str(models)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "loaded"
