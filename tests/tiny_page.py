"""The sources of a small detector's page, written and read as the stages do."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from efficientad.data.arrays.prepared import PreparedRow
from efficientad.data.arrays.rows import Rows
from efficientad.evaluation.test_split import TestSplit, measure
from efficientad.reporting.page.sources import (
    Sources,
    Stages,
    read_cases,
    read_headers,
    read_images,
    read_pro,
    read_roc,
)
from efficientad.reporting.report import write_report, write_tables

THRESHOLD = 0.5
GOOD, SCRATCH, STAIN = 20, 6, 4
SIDE = 48
EXPORTED = {
    "torch_fp32": {"image_auroc": 0.9, "au_pro": 0.8, "outline_iou": 0.5},
    "openvino_fp32": {"image_auroc": 0.9, "au_pro": 0.8, "outline_iou": 0.5, "largest_map_value": 1.5,
                      "max_map_difference": 1e-5, "mean_map_difference": 0.0, "max_score_difference": 0.0,
                      "auroc_difference": 0.0, "verdict_flips": 0, "megabytes": 19.57},
}  # fmt: skip


def draw_split() -> TestSplit:
    """Twenty good images, one a false alarm; six scratches, one missed; four stains without a mask, all found."""
    count = GOOD + SCRATCH + STAIN
    rng = np.random.default_rng(0)
    images = rng.integers(100, 150, (count, SIDE, SIDE, 3), np.uint8)
    maps = rng.uniform(0, 0.3, (count, SIDE, SIDE)).astype(np.float32)
    masks = np.zeros((count, SIDE, SIDE), bool)
    masks[GOOD : GOOD + SCRATCH, 10:14, 5:40] = True
    maps[masks] += 1.0
    maps[GOOD] = 0.2  # missed
    maps[GOOD + SCRATCH :, 20:30, 20:30] = 0.9
    maps[3, 5, 5] = 0.6  # false alarm
    return TestSplit(
        names=[f"good/{i:02}.png" for i in range(GOOD)] + [f"scratch/{i}.png" for i in range(SCRATCH)]
        + [f"stain <&>/{i}.png" for i in range(STAIN)],
        defects=["good"] * GOOD + ["scratch"] * SCRATCH + ["stain <&>"] * STAIN,
        labels=np.repeat([0, 1], [GOOD, SCRATCH + STAIN]),
        images=Rows(images), masks=Rows(masks),
        is_annotated=np.arange(count) < GOOD + SCRATCH,
        maps=Rows(maps), scores=maps.max(axis=(1, 2)),
    )  # fmt: skip


def write_sources(folder: Path, models: Path) -> Sources:
    """Write the report of `draw_split` and read it; `models`: a folder with exported models."""
    split = draw_split()
    metrics = measure(split, 0.3, THRESHOLD)
    write_tables(split, metrics, THRESHOLD, folder)
    write_report(split, metrics, THRESHOLD, 0.3, 2, folder / "sheet")
    threshold = {"value": THRESHOLD, "false_alarm_rate": 0.04, "normal_images": 24, "policy": "rate"}
    stages = Stages(
        fit={}, calibrate={"threshold": threshold}, evaluate={"metrics": metrics},
        export={"images": 30, "int8": {"kept": "first"}, "models": EXPORTED},
        near_duplicates={"checked": True, "pairs": []}, fpr_limit=0.3, asked_rate=0.05,
    )  # fmt: skip
    held_out = [PreparedRow(f"held/{i}.png", "validation", 0, "good", False, f"{i:x}", 70, 90) for i in range(24)]
    tested = [PreparedRow(name, "test", 0, "", False, name, 70, 90) for name in split.names]
    return Sources(
        name="S/washer/0", stages=stages, rows=[*held_out, *tested], left_out=(),
        images=read_images(folder / "sheet/scores.csv"), cases=read_cases(folder / "sheet/cases"),
        roc=read_roc(folder / "roc.csv"), pro=read_pro(folder / "pro.csv"),
        headers=read_headers(models / "openvino"), detector_md5="0f" * 16,
    )  # fmt: skip


def change_stage(sources: Sources, **values) -> Sources:
    return replace(sources, stages=replace(sources.stages, **values))
