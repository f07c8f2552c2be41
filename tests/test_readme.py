"""What README and CONTRIBUTING tell people to type exists: targets, commands, params, files."""

import re
import shlex
import shutil

import pytest
import yaml
from import_closure import ROOT

from efficientad.cli import build_parser
from efficientad.pipeline.params import PAPER_RECIPE, PARAMS_PATH, load_params

PAGES = ("README.md", "CONTRIBUTING.md")
TEXT = {page: (ROOT / page).read_text("utf-8") for page in PAGES}
CODE = [  # indented lines and what stands in back quotes, without comments
    (indented or quoted).split("#")[0].strip()
    for page in PAGES
    for indented, quoted in re.findall(r"^ {4}(\S.*)$|`([^`\n]+)`", TEXT[page], re.MULTILINE)
]


def find_commands(program: str) -> list[str]:
    found = [line for line in CODE if line.split()[:1] == [program] and len(line.split()) > 2 - (program == "make")]
    assert found
    return found


@pytest.mark.parametrize("command", find_commands("make"))
def test_every_make_target_exists(command):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert command.split()[1] in targets


@pytest.mark.parametrize("command", find_commands("efficientad"))
def test_every_command_of_ours_parses(command):
    assert build_parser().parse_args(shlex.split(command)[1:])


def list_settings() -> list[str]:
    return [setting for line in CODE for setting in re.findall(r"-S (\S+=\S+)", line)]


@pytest.mark.parametrize("setting", list_settings())
def test_every_setting_of_an_experiment_is_a_param(setting):
    file, key_path = (["", *setting.split("=")[0].split(":")])[-2:]
    tree = yaml.safe_load((ROOT / (file or PARAMS_PATH)).read_text("utf-8"))
    for key in key_path.split("."):
        assert key in tree
        tree = tree[key]


def list_recipes() -> list[str]:
    """Snippets of params.yaml: a section's name, then a value in YAML."""
    sections = yaml.safe_load((ROOT / PARAMS_PATH).read_text("utf-8"))
    return [line for line in CODE if (match := re.match(r"(\w+): *\S", line)) and match[1] in sections]


@pytest.mark.parametrize("recipe", list_recipes())
def test_every_recipe_for_params_is_accepted(recipe, tmp_path):
    tree = yaml.safe_load((ROOT / PARAMS_PATH).read_text("utf-8"))
    for name, values in yaml.safe_load(recipe.replace(", ...", "")).items():
        tree[name] = {**tree[name], **values} if isinstance(values, dict) else values
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    shutil.copytree(ROOT / PAPER_RECIPE.parent, tmp_path / PAPER_RECIPE.parent)
    assert load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("page", "target"), [(page, target) for page in PAGES for target in re.findall(r"\]\(([^)#:]+)\)", TEXT[page])]
)
def test_every_link_to_a_file_leads_somewhere(page, target):
    assert (ROOT / target).exists()
