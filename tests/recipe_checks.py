"""What a recipe must hold so that it works as typed. Each check raises AssertionError, or the error of what it asks."""

import re
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from dvc.cli.parser import get_main_parser
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps
from import_closure import ROOT
from torch.distributed.run import get_args_parser

from efficientad.cli import build_parser
from efficientad.pipeline.params_file import PAPER_RECIPE, PARAMS_PATH, load_params

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
# The shell's own; tests/deploy/test_cpp.py and tests/properties/test_registry.py run the programs.
UNTESTED = ("export", ".", "cd", "git", "cpp/build/efficientad_infer", "gto")


def merge(tree: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return `tree` with `values` put in their places."""
    both = {key: merge(tree[key], value) for key, value in values.items()
            if isinstance(value, dict) and isinstance(tree.get(key), dict)}  # fmt: skip
    return tree | values | both


def check_params(recipes: Iterable[str], folder: Path) -> Any:
    """Merge YAML blocks into params.yaml; return the params of its first category."""
    tree = yaml.safe_load((ROOT / PARAMS_PATH).read_text("utf-8"))
    for recipe in recipes:
        tree = merge(tree, yaml.safe_load(recipe))
    (folder / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    shutil.copytree(ROOT / PAPER_RECIPE.parent, folder / PAPER_RECIPE.parent, dirs_exist_ok=True)
    return check_params_file(folder / "params.yaml")


def check_params_file(path: Path) -> Any:
    """Return the params of the first category; every category needs an entry, as DVC looks for it."""
    params = load_params(path)
    assert set(params.categories) <= set(yaml.safe_load(path.read_text("utf-8"))["category"])
    per_category = [load_params(path, category) for category in params.categories]
    return per_category[0]


def check_command(line: str, folder: Path) -> None:
    """Check one command line of any program but torchrun."""
    program, *arguments = shlex.split(line)
    if program == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        assert arguments and {word for word in arguments if not re.fullmatch(r"[A-Z]+=\S+", word)} <= set(targets)
    elif program == "efficientad":
        build_parser().parse_args(arguments)
    elif program == "dvc":
        check_dvc(arguments, folder)
    elif program == "python":
        assert arguments[0] == "-m" or (ROOT / arguments[0]).is_file()
    elif program == "pip":
        extras = re.search(r"\.\[(.*)\]", line)
        assert extras and all(f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text("utf-8")
                              for extra in extras[1].split(","))  # fmt: skip
    else:
        assert program in UNTESTED, f"no test knows {program}"


def check_dvc(arguments: list[str], folder: Path) -> None:
    """Check a command of DVC with its own parser, its targets, and the params that it sets with its own code."""
    options = get_main_parser().parse_args(arguments)
    takes_files = arguments[0] in ("add", "pull")  # the others take stages
    targets = [] if takes_files else getattr(options, "targets", None) or []
    for target in targets:
        stage, _, item = target.partition("@")
        assert not item or len(item.split("-")) == len(STAGES[stage]["matrix"])
    assert {target.split("@")[0] for target in targets} <= set(STAGES)
    if settings := getattr(options, "set_param", None):
        path = folder / "params.yaml"
        path.write_bytes((ROOT / PARAMS_PATH).read_bytes())
        shutil.copytree(ROOT / PAPER_RECIPE.parent, folder / PAPER_RECIPE.parent, dirs_exist_ok=True)
        for experiment in get_hydra_sweeps(to_path_overrides(settings)):
            for name, overrides in experiment.items():
                apply_overrides(folder / name, overrides)
            check_params_file(path)


def check_torchrun(line: str, recipes: Iterable[str], folder: Path) -> None:
    """Check a line of torchrun with its own parser, after the YAML blocks of its section."""
    options = get_args_parser().parse_args(shlex.split(line)[1:])
    assert options.standalone or options.rdzv_endpoint, "the processes must find each other"
    stage = Path(options.training_script).stem
    script, values = STAGES[stage]["cmd"].split()[1], STAGES[stage]["matrix"]
    assert (options.training_script, len(options.training_script_args)) == (script, len(values))
    params = check_params(recipes, folder)
    processes = int(options.nnodes.split(":")[0]) * int(options.nproc_per_node)
    batch = params.distill.batch_size if stage == "distill" else params.train.recipe.batch_size
    assert batch % processes == 0, f"{batch} images per step cannot be shared out to {processes} processes"
    if stage == "distill":
        assert params.teacher.source == "distill"
