"""Where the pipeline's files lie, relative to the project's root; dvc.yaml names the same paths."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from efficientad.model.sizes import Size

PRETRAINING = Path("data/pretraining")
SUMMARY, SUMMARY_TABLE = Path("metrics/summary.json"), Path("metrics/summary.csv")
ITEM_STAGES = ("fit", "calibrate", "evaluate", "export")  # which write metrics/STAGE/SIZE/CATEGORY/SEED.json


def locate_prepared(category: str) -> Path:
    """Return the folder of a category's prepared images."""
    return Path("data/prepared") / category


def locate_prepare_report(category: str) -> Path:
    """Return the folder of the report on a category's near-duplicates."""
    return Path("metrics/prepare") / category


def locate_teacher(size: str) -> Path:
    """Return the weights of the teacher that all categories and seeds of a size share."""
    return Path("models") / size / "teacher.safetensors"


def locate_distill_metrics(size: str) -> Path:
    """Return the folder of the distillation's losses and error."""
    return Path("metrics/distill") / size


@dataclass(frozen=True)
class Item:
    """One detector of the matrix sizes x categories x seeds.

    >>> Item("S", "washer", 0).name
    'S/washer/0'
    """

    size: Size
    category: str
    seed: int

    @property
    def name(self) -> str:
        """The item's key in metrics/summary.json."""
        return f"{self.size}/{self.category}/{self.seed}"

    @property
    def models(self) -> Path:
        """The folder of the item's weights and exported models; `deploy/format/files.py` names the latter."""
        return Path("models") / self.size / self.category / str(self.seed)

    def locate_metrics(self, stage: str) -> Path:
        """Return the JSON file of what a stage measured, such as metrics/evaluate/S/washer/0.json."""
        return Path("metrics") / stage / self.size / self.category / f"{self.seed}.json"

    @property
    def report(self) -> Path:
        """The folder of the item's curves and contact sheet."""
        return Path("metrics/report") / self.size / self.category / str(self.seed)

    @property
    def page(self) -> Path:
        """The detector's page for people."""
        return self.report / "report.html"

    @property
    def student(self) -> Path:
        """Student, autoencoder and channel statistics, as `train` leaves them."""
        return self.models / "student.safetensors"

    @property
    def fitted(self) -> Path:
        """The same with memory banks and map quantiles, as `fit` leaves it."""
        return self.models / "fitted.safetensors"

    @property
    def scores(self) -> Path:
        """The fitted detector's scores of held-out images, which the threshold is chosen from."""
        return self.models / "scores.csv"

    @property
    def detector(self) -> Path:
        """The whole detector with its threshold, as `calibrate` leaves it."""
        return self.models / "detector.safetensors"


def list_items(sizes: Sequence[Size], categories: Sequence[str], seeds: Sequence[int]) -> list[Item]:
    """Return the items of the matrix, in the order in which params.yaml lists them."""
    return [Item(size, category, seed) for size in sizes for category in categories for seed in seeds]
