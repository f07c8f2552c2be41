"""dvc.yaml against the code: dependencies, params and outputs."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from import_closure import ROOT, find_closure

TEXT = (ROOT / "dvc.yaml").read_text("utf-8")
STAGES = yaml.safe_load(TEXT)["stages"]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
# Params that a stage checks, but that nothing which it writes depends on.
CHECKED = {"prepare": {"calibrate"}}
# Params that a stage reads by a call that checks them all.
READ_TOGETHER = {"names": {"sizes", "categories", "seeds"}}
# No stage depends on these: see docs/decisions/0028-what-a-stage-depends-on.md.
UNTRACKED = (ROOT / "src/efficientad/pipeline", ROOT / "src/efficientad/errors.py")


def find_script(stage: str) -> Path:
    return ROOT / re.search(r"stages/\w+\.py", STAGES[stage]["cmd"])[0]


def list_named_code(stage: str) -> list[Path]:
    """Return the files and folders of the package that a stage names."""
    return [ROOT / dep for dep in STAGES[stage]["deps"] if dep.startswith("src/")]


def list_unnamed(script: Path, named: list[Path]) -> set[Path]:
    """Return the files that a script imports, directly or not, and that lie in none of the named places."""
    return {file for file in find_closure(script, UNTRACKED) if not any(file.is_relative_to(place) for place in named)}


@pytest.mark.property
@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_imports_lies_in_the_folders_that_it_names(stage):
    assert find_script(stage).relative_to(ROOT).as_posix() in STAGES[stage]["deps"]
    assert not list_unnamed(find_script(stage), list_named_code(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_names_no_code_that_it_does_not_import(stage):
    closure = find_closure(find_script(stage), UNTRACKED)
    for place in list_named_code(stage):
        assert place.exists()
        is_data = place.is_dir() and not list(place.rglob("*.py"))
        assert is_data or any(file.is_relative_to(place) for file in closure), f"{stage} does not need {place}"


def test_an_import_outside_of_the_named_folders_would_be_noticed(tmp_path):
    script = tmp_path / "stage.py"
    script.write_text("def main():\n    from efficientad.deploy import batch\n")
    names = {file.name for file in list_unnamed(script, [ROOT / "src/efficientad/deploy"])}
    assert {"reading.py", "containers.py"} <= names
    assert not {"batch.py", "predictor.py", "params.py", "errors.py"} & names


@pytest.mark.parametrize("stage", ["distill", "train"])
def test_what_trains_draws_nothing_so_that_a_plots_colour_retrains_nothing(stage):
    closure = {f.relative_to(ROOT).as_posix() for f in find_closure(ROOT / find_script(stage))}
    assert not [name for name in closure if name.startswith("src/efficientad/reporting/")]


@pytest.mark.property
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_named_like_its_script_and_reads_the_params_it_declares(stage):
    assert find_script(stage).stem == stage
    tree = ast.parse(find_script(stage).read_text("utf-8"))
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in PARAMS]
    read = {node.attr for node in attributes if "params" in ast.unparse(node.value)} | READ_TOGETHER.get(stage, set())
    sections = [name for name in STAGES[stage]["params"] if isinstance(name, str)]
    declared = {name.split(".")[0] for name in sections} - {"category"}
    assert read - CHECKED.get(stage, set()) == declared


@pytest.mark.parametrize("stage", [s for s in STAGES if "category" in STAGES[s].get("matrix", {})])
def test_a_category_reruns_for_its_own_overrides_alone(stage):
    assert "category.${item.category}" in STAGES[stage]["params"]


def test_every_listed_category_can_be_overridden():
    assert set(PARAMS["categories"]) <= set(PARAMS["category"])


@pytest.mark.property
def test_a_person_can_read_dvc_yaml_and_the_stage_scripts():
    assert len(TEXT.splitlines()) <= 170
    for script in (ROOT / "stages").glob("*.py"):
        assert len(script.read_text("utf-8").splitlines()) <= 60, script


def test_accuracy_is_kept_in_git_and_all_else_in_the_cache():
    """DVC keeps no run cache of a stage with an output of another kind that lies in git: see decision 39."""
    for stage in STAGES.values():
        for out in [*stage.get("outs", []), *stage.get("metrics", [])]:
            path, options = next(iter(out.items())) if isinstance(out, dict) else (out, {})
            in_git = path == "metrics/summary.json" or path.startswith("metrics/evaluate/")
            assert (options.get("cache") is False) == in_git, path
