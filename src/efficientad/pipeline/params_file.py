"""The only reader of params.yaml and of recipes/: all is checked before any work starts.

A key that is unknown, missing, of the wrong type or out of range is one `ParamsError` that names it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from efficientad.errors import ParamsError
from efficientad.model.sizes import SIZES, VIEW_PX
from efficientad.pipeline.params import DataParams, Params, RecipeParams
from efficientad.pipeline.parsing import check_name, parse_section, show, starts_at_home
from efficientad.pipeline.yaml_file import read_yaml

PARAMS_PATH = Path("params.yaml")
PAPER_RECIPE = Path("recipes/paper.yaml")  # beside params.yaml
OVERRIDABLE = ("data", "synthetic", "elpv", "train", "fit", "calibrate", "evaluate", "export")


def load_params(path: Path = PARAMS_PATH, category: str | None = None) -> Params:
    """Read and check a params file; with `category`, its section below `category:` overrides the rest.

    `train.paper` comes from recipes/paper.yaml beside it, and a category may override its values, too.

    Raises ParamsError naming the key, what was expected and what came; also when the file is missing, is
    not YAML, or overrides a section that all categories share.
    """
    if not path.is_file():
        raise ParamsError(f"expected a params file at {path.absolute()}, found none; run from the project's root")
    tree = read_yaml(path)
    if isinstance(tree.get("train"), dict):
        tree["train"] = _add_paper_recipe(tree["train"], path.parent / PAPER_RECIPE)
    overrides = tree.pop("category", {})
    if not isinstance(overrides, dict):
        raise ParamsError(f"category: expected a mapping from category to overrides, got {show(overrides)}")
    for name in overrides:
        if not isinstance(name, str):
            raise ParamsError(f"category: expected names as keys, got {name!r}; write it in quotes")
        check_name(name, "category")
    plain = parse_params(tree)
    merged = {name: parse_params(_merge(tree, name, section)) for name, section in overrides.items()}
    return plain if category is None else merged.get(category, plain)


def check_for_dvc(path: Path = PARAMS_PATH) -> None:
    """Check a params file as `load_params` does, and what DVC alone would say obscurely or too late.

    Raises ParamsError for a listed category without an entry below `category:`, and for ~ in a folder that dvc.yaml
    names: DVC does not expand it.
    """
    params, tree = load_params(path), read_yaml(path)
    entries = tree.get("category") or {}
    if missing := [name for name in params.categories if name not in entries]:
        raise ParamsError(
            f"category: expected an entry for each of the categories, found none for {', '.join(missing[:5])}; "
            f"add a line `{missing[0]}: {{}}` below `category:`"
        )
    for section, root in (("data", params.data.root), ("pretraining", params.pretraining.root)):
        if starts_at_home(tree[section]["root"]):
            raise ParamsError(
                f"{section}.root: expected a folder as DVC finds it, which does not expand ~, got "
                f"{tree[section]['root']!r}; write {root}"
            )


def _add_paper_recipe(train: dict[str, Any], path: Path) -> dict[str, Any]:
    if "paper" in train:
        raise ParamsError(f"train.paper: expected the paper's recipe in {PAPER_RECIPE} alone, got it here, too")
    recipe = read_yaml(path) if path.is_file() else None
    if recipe is not None:
        try:
            parse_section(RecipeParams, recipe, "")
        except ParamsError as error:
            raise ParamsError(f"{PAPER_RECIPE}: {error}") from error
    return {**train, "paper": recipe}


def parse_params(tree: Mapping[str, Any]) -> Params:
    """Check a tree of plain values against the types and ranges of `Params`, and the values against each other."""
    params = parse_section(Params, tree, "")
    for name in ("sizes", "categories", "seeds"):
        values = getattr(params, name)
        if not values or len(set(values)) < len(values):
            raise ParamsError(f"{name}: expected at least one value and none twice, got {show(list(values))}")
    for index, category in enumerate(params.categories):
        check_name(category, f"categories[{index}]")
    if len({category.lower() for category in params.categories}) < len(params.categories):
        raise ParamsError(
            f"categories: expected names that differ in more than capitals, got {show(list(params.categories))}; "
            "Windows and macOS take such folders for one"
        )
    _check_image_size(params.data)
    if params.train.preset == "paper" and params.train.paper is None:
        raise ParamsError(f"train.preset: expected the file {PAPER_RECIPE} for paper, found none beside params.yaml")
    fit = params.fit
    if fit.high_quantile_of == "pixels" and fit.low_quantile >= fit.high_quantile:
        raise ParamsError(
            f"fit.low_quantile: expected less than fit.high_quantile ({fit.high_quantile}), got {fit.low_quantile}"
        )
    for size in SIZES:
        scales = fit.banks.select(size)
        if len(set(scales)) < len(scales) or (size == "L" and not scales):
            raise ParamsError(f"fit.banks.{size}: expected none twice, and one for L at least, got {list(scales)}")
    if (params.teacher.source in ("published", "file")) != (params.teacher.path is not None):
        raise ParamsError(
            f"teacher.path: expected a file of weights with teacher.source: file, what was downloaded with published, "
            f"and null with any other, got {params.teacher.path!r} with {params.teacher.source}"
        )
    if "fp32" not in params.export.precisions:
        raise ParamsError(f"export.precisions: expected fp32 among them, got {list(params.export.precisions)}")
    return params


def _check_image_size(data: DataParams) -> None:
    sides = (data.image_size,) * 2 if isinstance(data.image_size, int) else data.image_size
    is_large = max(sides, default=0) > VIEW_PX
    if len(sides) != 2 or (is_large and (min(sides) < VIEW_PX or any(side % 4 for side in sides))):
        raise ParamsError(
            f"data.image_size: expected a side or [height, width] in px, neither above {VIEW_PX}, or both from "
            f"{VIEW_PX} on and multiples of 4, got {show(data.image_size)}"
        )


def _merge(tree: Mapping[str, Any], category: str, overrides: Any) -> dict[str, Any]:
    if overrides is None:
        return dict(tree)
    if not isinstance(overrides, dict):
        raise ParamsError(f"category.{category}: expected sections with overrides, got {show(overrides)}")
    merged = dict(tree)
    for section, values in overrides.items():
        if section not in OVERRIDABLE or not isinstance(values, dict):
            raise ParamsError(
                f"category.{category}.{section}: expected a mapping for one of {', '.join(OVERRIDABLE)}, "
                f"got {show(values)}; everything else is shared by all categories"
            )
        merged[section] = _merge_values(tree.get(section, {}), values)
    return merged


def _merge_values(values: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in overrides.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge_values(merged[key], value) if both else value
    return merged
