"""What README and docs/ tell people to type with torchrun works as typed, in the order in which it stands there.

A recipe is a row of a table or a block of indented lines, with the values for params.yaml that the paragraph before it
names. Only what a reader has to replace is replaced: the product, the machine's name and the shared folder.
"""

import os
import re
import shlex
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from import_closure import ROOT
from small_project import CATEGORIES, Project

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PRODUCT = CATEGORIES[0]


@dataclass
class Recipe:
    page: str
    settings: list[str] = field(default_factory=list)  # for params.yaml
    commands: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.page}: {next(command for command in self.commands if 'torchrun' in command)}"


def read_recipe(page: Path, code: list[str]) -> Recipe:
    recipe = Recipe(page.relative_to(ROOT).as_posix())
    for line in code:
        kind = recipe.settings if re.match(r"\w+: *[{\[]", line) else recipe.commands
        kind.append(line)
    recipe.commands = [one for one in recipe.commands if one.split()[0] in ("torchrun", "dvc", "export")]
    return recipe


def find_recipes(page: Path) -> list[Recipe]:
    recipes, before = [], ""
    for paragraph in page.read_text("utf-8").split("\n\n"):
        code = []
        if paragraph.startswith("    "):
            lines = paragraph.replace("\\\n", " ").splitlines()
            code = [re.findall(r"`([^`]+)`", before.replace("\n", " ")) + [line.strip() for line in lines]]
        elif paragraph.startswith("|"):
            code = [re.findall(r"`([^`]+)`", row) for row in paragraph.splitlines()]
        recipes += [read_recipe(page, one) for one in code if any(part.startswith("torchrun") for part in one)]
        before = paragraph
    return recipes


RECIPES = [recipe for page in PAGES for recipe in find_recipes(page)]


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


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_with_torchrun_works_as_typed(project, recipe, tmp_path):
    before = (project.root / "params.yaml").read_bytes()
    for setting in recipe.settings:
        values = yaml.safe_load(setting.replace("gear", PRODUCT))
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
