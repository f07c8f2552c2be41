"""README and the recipes work as typed: every YAML block, every command line, and the Python snippet."""

import subprocess
import sys

import numpy as np
import pytest
from markdown_pages import list_blocks, list_lines, list_quoted, read_page
from recipe_checks import check_command, check_params, check_torchrun

from efficientad.data.images.encoding import write_png

PAGES = ("README.md", "docs/recipes.md", "docs/several-machines.md", "docs/sharing.md", "docs/experiments-with-dvc.md",
         "docs/reproducibility.md", "CONTRIBUTING.md",
         "src/efficientad/teacher/weights/README.md", "docs/results.md")  # fmt: skip
PROGRAMS = ("make", "efficientad", "dvc")
BLOCKS = [block for page in PAGES for block in list_blocks(page, read_page(page))]
YAML = [block for block in BLOCKS if block.language == "yaml"]
BASH = [block for block in BLOCKS if block.language == "bash"]


def list_commands() -> list[str]:
    """Return all lines of shell blocks, and what stands in other blocks or in back quotes and is a command."""
    typed = [line for block in BASH for line in list_lines(block)]
    others = [line for block in BLOCKS if block.language == "" for line in list_lines(block)]
    others += [quoted for page in PAGES for quoted in list_quoted(read_page(page)) if len(quoted.split()) > 1]
    typed += [line for line in others if line.split()[0] in PROGRAMS]
    return sorted({line for line in typed if line.split()[0] != "torchrun" and line != "efficientad predict"})


TORCHRUN = [(block, line) for block in BLOCKS for line in list_lines(block) if line.split()[0] == "torchrun"]


def test_there_is_something_to_test():
    assert len(YAML) > 20
    assert len(list_commands()) > 25
    assert len(TORCHRUN) == 3


@pytest.mark.parametrize("block", YAML, ids=str)
def test_every_yaml_block_fits_params(block, tmp_path):
    assert check_params([block.text], tmp_path)


@pytest.mark.parametrize("line", list_commands())
def test_every_command_line_is_accepted(line, tmp_path):
    check_command(line, tmp_path)


@pytest.mark.parametrize(("block", "line"), TORCHRUN, ids=str)
def test_every_torchrun_line_is_accepted_and_can_share_out_its_batch(block, line, tmp_path):
    recipes = [other.text for other in YAML if (other.page, other.section) == (block.page, block.section)]
    check_torchrun(line, recipes, tmp_path)


def test_the_python_snippet_runs_as_typed(models, tmp_path):
    (snippet,) = [block.text for block in BLOCKS if block.language == "python"]
    (tmp_path / "models/L").mkdir(parents=True)
    (tmp_path / "models/L/gear").mkdir()
    (tmp_path / "models/L/gear/0").symlink_to(models)
    write_png(tmp_path / "part.png", np.zeros((70, 90, 3), np.uint8))
    done = subprocess.run([sys.executable, "-c", snippet], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    verdict, score, threshold = done.stdout.split()
    assert verdict == ("anomalous" if float(score) > float(threshold) else "normal")


@pytest.mark.parametrize(
    "recipe",
    [
        "train: {cpu: {step: 3000}}",  # no such value
        "train: {cpu: {steps: 0}}",  # out of range
        "train: {preset: fast}",
        "categories: [gear]",  # without an entry in `category`
        "categories: [gear]\ncategory: {gear: {trian: {}}}",
        "data: {image_size: [1500, 2001]}",
        "data: {provider: folder, ...}",
        "teacher: {source: file}",  # without a path
    ],
)
def test_a_wrong_yaml_block_is_noticed(recipe, tmp_path):
    with pytest.raises(Exception, match=r"\S|^$"):
        check_params([recipe], tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "make nothing",
        "make",
        "efficientad predict new_images/",
        "efficientad predict new_images/ --model a --heatmaps-all",
        "efficientad judge new_images/",
        "efficientad download coco --output data/raw",
        "dvc exp run -S train.cpu.step=10000",
        "dvc exp run -S train.cpu.steps=-1",
        "dvc exp run -S recipes/paper.yaml:step=1000",
        "dvc exp run -S recipes/none.yaml:steps=1000",
        "dvc exp run -S 'categories=[gear]'",
        "dvc exp run -T train.cpu.steps=10000",
        "dvc commit training",
        "dvc commit train@S-0",
        "dvc metrics difference",
        "python benchmarks/none.py",
        "pip install -e .[none]",
        "curl something",
    ],
)
def test_a_wrong_command_is_noticed(line, tmp_path, capsys):
    with pytest.raises((Exception, SystemExit)):
        check_command(line, tmp_path)


@pytest.mark.parametrize(
    ("line", "recipe"),
    [
        ("torchrun --standalone --nproc-per-node 2 stages/train.py S gear 0", "seeds: [0]"),  # one image per step
        ("torchrun --standalone --nproc-per-node 3 stages/train.py S gear 0", "train: {cpu: {batch_size: 4}}"),
        ("torchrun --standalone --nproc-per-node 2 stages/train.py S gear", "train: {cpu: {batch_size: 2}}"),
        ("torchrun --standalone --nproc-per-node 2 stages/trian.py S gear 0", "train: {cpu: {batch_size: 2}}"),
        ("torchrun --nproc-per-node 2 stages/train.py S gear 0", "train: {cpu: {batch_size: 2}}"),
        ("torchrun --standalone --nproc-per-node 2 stages/distill.py S", "teacher: {source: shipped}"),
    ],
)
def test_a_wrong_torchrun_line_is_noticed(line, recipe, tmp_path):
    with pytest.raises((AssertionError, KeyError)):
        check_torchrun(line, [recipe], tmp_path)


def test_a_right_torchrun_line_is_accepted(tmp_path):
    line = "torchrun --standalone --nproc-per-node 2 stages/train.py S gear 0"
    check_torchrun(line, ["train: {cpu: {batch_size: 2}}"], tmp_path)
