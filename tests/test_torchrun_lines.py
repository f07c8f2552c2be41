"""What the pages tell people to type with torchrun works as typed, in the order in which it stands there.

A recipe is a block of commands, with the blocks of values for params.yaml that stand before it under the same heading.
Only what a reader has to replace is replaced: the product, the machine's name and the shared folder.
"""

import os
import re
import shlex
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from import_closure import ROOT
from markdown_pages import list_blocks, list_lines, list_pages, read_page
from small_project import CATEGORIES, Project

PRODUCT = CATEGORIES[0]


@dataclass
class Recipe:
    page: str
    settings: list[str]  # for params.yaml
    commands: list[str]

    @property
    def name(self) -> str:
        return f"{self.page}: {next(command for command in self.commands if 'torchrun' in command)}"


def find_recipes(page: str) -> list[Recipe]:
    recipes, settings, section = [], [], ""
    for block in list_blocks(page, read_page(page)):
        if block.section != section:
            settings, section = [], block.section
        if block.language == "yaml":
            settings.append(block.text)
        elif any(line.startswith("torchrun") for line in list_lines(block)):
            recipes.append(Recipe(page, list(settings), list_lines(block)))
    return recipes


RECIPES = [recipe for page in list_pages() for recipe in find_recipes(page)]


def merge(tree: dict, values: dict) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(tree.get(key), dict):
            merge(tree[key], value)
        else:
            tree[key] = value


def find_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def run(project: Project, command: str, environment: dict[str, str]) -> None:
    """Run a command, one for several machines as often as there are machines, at the same time."""
    machines = int((re.findall(r"--nnodes (\d+)", command) or ["1"])[0])
    command = command.replace("first-machine:29500", f"127.0.0.1:{find_port()}")
    running = [
        subprocess.Popen(shlex.split(command), cwd=project.root, env=environment, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(machines)
    ]  # fmt: skip
    output = [process.communicate(timeout=300)[0] for process in running]
    assert not any(process.returncode for process in running), command + "\n" + "\n".join(output)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """With a teacher, which the recipes for `train` find there."""
    project = Project(tmp_path_factory.mktemp("project"))
    project.change_params(lambda tree: tree["train"]["cpu"].update(steps=2))
    project.dvc("repro", f"prepare@{PRODUCT}", "distill@S")
    return project


def test_the_docs_have_recipes_for_training_distillation_and_two_machines():
    text = "\n".join(command for recipe in RECIPES for command in recipe.commands)
    assert "stages/train.py S" in text
    assert "stages/distill.py S" in text
    assert "--nnodes 2" in text


@pytest.mark.property
@pytest.mark.long
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_with_torchrun_works_as_typed(project, recipe, tmp_path):
    before = (project.root / "params.yaml").read_bytes()
    default = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))["sizes"]
    project.change_params(lambda tree: tree.update(sizes=default))  # what a reader starts from
    for setting in recipe.settings:
        values = yaml.safe_load(setting.replace("gear", PRODUCT))
        values.pop("categories", None)  # the project has its own
        project.change_params(lambda tree, values=values: merge(tree, values))
    environment = project.environment | {"OMP_NUM_THREADS": "1"}
    for command in recipe.commands:
        if command.startswith("export"):
            name, value = command.removeprefix("export ").split("=")
            environment[name] = value.replace("/shared", str(tmp_path))
        else:
            run(project, command.replace("gear", PRODUCT), environment)
    stages = re.findall(r"dvc commit --force (\S+)", "\n".join(recipe.commands).replace("gear", PRODUCT))
    for stage in stages:
        assert "up to date" in project.dvc("status", stage)
    for folder in (project.root / ".scratch", Path(environment.get("EFFICIENTAD_SCRATCH", os.devnull))):
        assert not [path for path in folder.glob("*") if path.name != "timings.jsonl"]
    (project.root / "params.yaml").write_bytes(before)
