"""The only reader of params.yaml and of recipes/: typed, frozen, checked before any work starts.

There are no defaults here: every value stands in those files, with its unit and source beside it. A key
that is unknown, missing, of the wrong type or out of range is one `ParamsError` that names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from efficientad.errors import ParamsError
from efficientad.model.sizes import SIZES, VIEW_PX, BankScale, HighOf, Policy, Size
from efficientad.pipeline.parsing import HomePath, InnerPath, Range, check_name, parse_section, show, starts_at_home
from efficientad.pipeline.yaml_file import read_yaml

PARAMS_PATH = Path("params.yaml")
PAPER_RECIPE = Path("recipes/paper.yaml")  # beside params.yaml

Count = Annotated[int, Range(1, 10**9)]
Fraction = Annotated[float, Range(0, 1)]
Seed = Annotated[int, Range(0, 2**31 - 1)]
Rate = Annotated[float, Range(1e-8, 1)]
Precision = Literal["auto", "fp32", "bf16"]
Side = Annotated[int, Range(64, 8192)]
FilePath = Annotated[str, HomePath]


@dataclass(frozen=True)
class DataParams:
    """Stage prepare: where images come from, and how they are split."""

    provider: Literal["synthetic", "mvtec", "mvtec_loco", "mvtec_3d", "visa", "magnetic_tile", "elpv", "folder"]
    root: FilePath
    image_size: Side | tuple[Side, ...]
    train_fraction: Annotated[float, Range(0.05, 0.95)]
    validation_fraction: Annotated[float, Range(0.01, 0.5)]
    split_seed: Seed
    raw_samples: Annotated[int, Range(2, 1000)]
    region: Annotated[str, InnerPath] | None
    group: FilePath | None
    near_duplicates: Literal["warn", "fail", "ignore"]
    max_megapixels: Annotated[float, Range(0.01, 1000)]
    max_megabytes: Annotated[float, Range(0.01, 100_000)]

    @property
    def frame(self) -> tuple[int, int]:
        """Height and width of `image_size` in px."""
        size = self.image_size
        return (size, size) if isinstance(size, int) else (size[0], size[1])


@dataclass(frozen=True)
class SyntheticParams:
    """Stage prepare: how many images the synthetic provider makes."""

    train: Annotated[int, Range(4, 100_000)]
    test_good: Annotated[int, Range(1, 100_000)]
    test_per_defect: Annotated[int, Range(1, 100_000)]
    seed: Seed


@dataclass(frozen=True)
class ElpvParams:
    """Stage prepare: which solar cells count as anomalous."""

    minimum_probability: Annotated[float, Range(0.01, 1)]


@dataclass(frozen=True)
class PretrainingParams:
    """Stage pretraining: the photographs for distillation and for the penalty."""

    provider: Literal["embedded", "folder", "imagenette"]
    root: FilePath
    count: Annotated[int, Range(2, 10_000_000)]
    images_per_photograph: Annotated[int, Range(1, 1000)]
    seed: Seed


@dataclass(frozen=True)
class TeacherParams:
    """Stage distill: where the teacher comes from."""

    source: Literal["shipped", "published", "distill", "file"]
    path: FilePath | None


@dataclass(frozen=True)
class DistillParams:
    """Stage distill: backbone -> teacher."""

    backbone: Literal["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "wide_resnet101_2"]
    checkpoint: FilePath | None
    steps: Count
    batch_size: Annotated[int, Range(1, 1024)]
    optimiser: Literal["adam", "muon"]
    learning_rate: Rate
    schedule: Literal["constant", "one_cycle"]
    held_out_fraction: Annotated[float, Range(0.01, 0.5)]
    precision: Precision
    checkpoint_every: Count
    seed: Seed


@dataclass(frozen=True)
class RecipeParams:
    """How student and autoencoder are trained."""

    steps: Count
    batch_size: Annotated[int, Range(1, 1024)]
    optimiser: Literal["adam", "muon"]
    learning_rate: Rate
    autoencoder_learning_rate: Rate
    schedule: Literal["step", "one_cycle"]
    hard_quantile: Annotated[float, Range(0, 0.999999)]
    hard_warmup_fraction: Fraction
    hard_sampling_fraction: Fraction
    shared_convolutions: Annotated[int, Range(0, 3)]
    penalty_tiles: Annotated[int, Range(1, 8)]
    penalty_defects: Fraction
    penalty_weight: Annotated[float, Range(0, 1000)]
    autoencoder_tiles: Annotated[int, Range(1, 8)]
    autoencoder_stop_gradient: bool


@dataclass(frozen=True)
class TrainParams:
    """Stage train: student and autoencoder, by one of two recipes."""

    preset: Literal["cpu", "paper"]
    precision: Precision
    checkpoint_every: Count
    cache_gb: Annotated[float, Range(0, 10_000)]
    cpu: RecipeParams
    paper: RecipeParams | None  # from recipes/paper.yaml; None without that file, which the preset cpu does not need

    @property
    def recipe(self) -> RecipeParams:
        """The recipe that `preset` names."""
        recipe = self.cpu if self.preset == "cpu" else self.paper
        assert recipe is not None
        return recipe


@dataclass(frozen=True)
class BanksParams:
    """The scales of the memory banks of a detector of each size."""

    S: tuple[BankScale, ...]
    M: tuple[BankScale, ...]
    L: tuple[BankScale, ...]

    def select(self, size: Size) -> tuple[BankScale, ...]:
        """Return those of a size."""
        scales: tuple[BankScale, ...] = getattr(self, size)
        return scales


@dataclass(frozen=True)
class BankPatchesParams:
    """How many patches a memory bank of each scale keeps at most."""

    detail: Annotated[int, Range(1, 100_000)]
    fine: Annotated[int, Range(1, 100_000)]
    coarse: Annotated[int, Range(1, 100_000)]

    def select(self, scale: BankScale) -> int:
        """Return that of a scale."""
        patches: int = getattr(self, scale)
        return patches


@dataclass(frozen=True)
class FitParams:
    """Stage fit: memory banks and map quantiles of training images; the copies of held-out ones that are scored."""

    banks: BanksParams
    bank_patches: BankPatchesParams
    low_quantile: Fraction
    high_quantile: Fraction
    high_quantile_of: HighOf
    nuisance_brightness: Annotated[float, Range(0, 0.5)]
    nuisance_shift: Annotated[float, Range(0, 0.1)]


@dataclass(frozen=True)
class CalibrateParams:
    """Stage calibrate: the threshold, from the scores of held-out images."""

    threshold: Policy
    false_alarm_rate: Annotated[float, Range(0.0001, 0.5)]


@dataclass(frozen=True)
class EvaluateParams:
    """Stage evaluate: how the test split is judged and shown."""

    fpr_limit: Annotated[float, Range(0.001, 1)]
    cases_per_group: Annotated[int, Range(1, 50)]


@dataclass(frozen=True)
class ExportParams:
    """Stage export: ONNX, OpenVINO, how far their maps may be from torch's, and how much accuracy INT8 may cost."""

    precisions: tuple[Literal["fp32", "fp16", "int8"], ...]
    int8_images: Annotated[int, Range(1, 100_000)]
    int8_fallback: Literal["none", "fp16"]
    max_auroc_drop: Fraction
    max_au_pro_drop: Fraction
    max_int8_verdict_flips: Fraction
    max_int8_score_drift: Annotated[float, Range(0, 2)]
    parity_images: Annotated[int, Range(2, 100_000)]
    max_map_difference_fp32: Annotated[float, Range(0, 1)]
    max_map_difference_fp16: Annotated[float, Range(0, 1)]
    max_auroc_difference: Fraction


@dataclass(frozen=True)
class Params:
    """All of params.yaml, with the overrides of one category applied where one was named."""

    sizes: tuple[Size, ...]
    categories: tuple[str, ...]
    seeds: tuple[Seed, ...]
    data: DataParams
    synthetic: SyntheticParams
    elpv: ElpvParams
    pretraining: PretrainingParams
    teacher: TeacherParams
    distill: DistillParams
    train: TrainParams
    fit: FitParams
    calibrate: CalibrateParams
    evaluate: EvaluateParams
    export: ExportParams


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
    """Check a tree of plain values against the types and ranges above, and the values against each other."""
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
