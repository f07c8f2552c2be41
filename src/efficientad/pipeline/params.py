"""What params.yaml and recipes/ hold, and the range of each value: typed, frozen.

There are no defaults here: every value stands in those files, with its unit and source beside it.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from efficientad.model.sizes import BankScale, HighOf, Policy, Size
from efficientad.pipeline.parsing import HomePath, InnerPath, Range

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
