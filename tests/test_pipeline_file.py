"""dvc.yaml against the code: dependencies, params and outputs."""

import ast
import re

import pytest
import yaml
from import_closure import ROOT, find_closure
from list_dependencies import rewrite

TEXT = (ROOT / "dvc.yaml").read_text("utf-8")
STAGES = yaml.safe_load(TEXT)["stages"]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))


def find_script(stage):
    return re.search(r"stages/\w+\.py", STAGES[stage]["cmd"])[0]


def list_code(stage):
    return {dep for dep in STAGES[stage]["deps"] if dep.startswith("src/") and dep.endswith(".py")}


@pytest.mark.parametrize("stage", STAGES)
def test_code_dependencies_are_the_import_closure(stage):
    closure = {f.relative_to(ROOT).as_posix() for f in find_closure(ROOT / find_script(stage))}
    assert list_code(stage) == closure, "run `make format`"
    assert find_script(stage) in STAGES[stage]["deps"]


def test_rewriting_the_dependencies_changes_nothing():
    assert rewrite(TEXT) == TEXT


def test_a_new_import_would_be_noticed(tmp_path):
    script = tmp_path / "stage.py"
    script.write_text("def main():\n    from efficientad.deploy import batch\n")
    names = {f.name for f in find_closure(script)}
    assert {"batch.py", "predictor.py", "engine.py", "images.py", "errors.py"} <= names


@pytest.mark.parametrize("stage", ["distill", "train"])
def test_what_trains_draws_nothing_so_that_a_plots_colour_retrains_nothing(stage):
    closure = {f.relative_to(ROOT).as_posix() for f in find_closure(ROOT / find_script(stage))}
    assert not [name for name in closure if name.startswith("src/efficientad/reporting/")]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_named_like_its_script_and_reads_the_params_it_declares(stage):
    assert find_script(stage) == f"stages/{stage}.py"
    tree = ast.parse((ROOT / find_script(stage)).read_text("utf-8"))
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in PARAMS]
    read = {node.attr for node in attributes if "params" in ast.unparse(node.value)}
    names = [name for name in STAGES[stage]["params"] if isinstance(name, str)]  # the others are files
    declared = {name.split(".")[0] for name in names} - {"category"}
    assert read == declared


@pytest.mark.parametrize("stage", [s for s in STAGES if "category" in STAGES[s].get("matrix", {})])
def test_a_category_reruns_for_its_own_overrides_alone(stage):
    assert "category.${item.category}" in STAGES[stage]["params"]


def test_every_listed_category_can_be_overridden():
    assert set(PARAMS["categories"]) <= set(PARAMS["category"])


def test_stage_scripts_are_thin():
    for script in (ROOT / "stages").glob("*.py"):
        assert len(script.read_text("utf-8").splitlines()) <= 60, script


def test_metrics_are_kept_in_git_and_heavy_outputs_are_not():
    for stage in STAGES.values():
        for out in [*stage.get("outs", []), *stage.get("metrics", [])]:
            path, options = next(iter(out.items())) if isinstance(out, dict) else (out, {})
            assert (options.get("cache") is False) == path.endswith(".json"), path
