"""Measures each part of the recipe: trains without it and keeps the accuracy in docs/results.json.

    python benchmarks/ablations.py OUTPUT [VARIANT ...]

runs `dvc exp run` in a workspace whose params.yaml names one size, one category with defects and one seed; OUTPUT is
the results.json to add to, below `ablations`. Runs all variants by default, and measures each map alone, too.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from efficientad.data.arrays.prepared import Prepared, load_prepared
from efficientad.data.arrays.rows import Rows
from efficientad.evaluation.test_split import build_test_split, measure
from efficientad.model.detector import Detector
from efficientad.model.inference import compute_raw_maps
from efficientad.model.maps import combine_maps, upscale_map
from efficientad.model.pdn import TEACHER_CHANNELS, build_pdn
from efficientad.model.saved_detector import load_detector
from efficientad.model.weights import save_weights
from efficientad.pipeline.layout import Item, locate_prepared
from efficientad.pipeline.params import load_params
from efficientad.pipeline.stage import read_json, write_json

RANDOM_TEACHER = Path(".scratch/random_teacher.safetensors")
VARIANTS = {
    "full": [],
    "without hard-example sampling": ["hard_sampling_fraction=0.0"],
    "without synthetic defects": ["penalty_defects=0.0"],
    "without either": ["hard_sampling_fraction=0.0", "penalty_defects=0.0"],
    "without penalty": ["penalty_weight=0.0"],
    "without hard mining": ["hard_sampling_fraction=0.0", "hard_quantile=0.0"],
    "student of its own": ["shared_convolutions=0"],
    "random teacher": [],
}


def run_variant(name: str, item: Item, preset: str) -> dict[str, Any]:
    """Train and evaluate one variant in this workspace."""
    settings = [f"train.{preset}.{change}" for change in VARIANTS[name]]
    if name == "random teacher":
        torch.manual_seed(0)
        # The error is not measured: 1 is the error of a teacher that has learned nothing.
        about = {"size": item.size, "backbone": "none", "steps": 0, "batch_size": 0, "held_out_mse": 1.0}
        save_weights(build_pdn(item.size, TEACHER_CHANNELS), RANDOM_TEACHER, about)
        settings += ["teacher.source=file", f"teacher.path={RANDOM_TEACHER.resolve()}"]
    command = ["dvc", "exp", "run", f"calibrate@{item.size}-{item.category}-{item.seed}"]
    for setting in settings:
        command += ["-S", setting]
    subprocess.run(command, check=True)
    detector, _ = load_detector(item.detector)
    return measure_branches(detector, load_prepared(locate_prepared(item.category)))


def measure_branches(detector: Detector, prepared: Prepared) -> dict[str, dict[str, float]]:
    """Return the accuracy on the test split of each branch's map and of means of several: `results_page.BRANCHES`."""
    raw = compute_raw_maps(detector, prepared.images, prepared.indices("test"))
    maps = detector.normalise_maps([torch.from_numpy(np.stack(one))[:, None] for one in raw])
    branches = {"student": maps[0], "autoencoder": maps[1], "both": combine_maps(maps[:2])}
    if maps[2:]:
        branches |= {"memory bank": combine_maps(maps[2:]), "all": combine_maps(maps)}
    accuracy: dict[str, dict[str, float]] = {}
    for name, cells in branches.items():
        pixels = upscale_map(cells, prepared.size)[:, 0].numpy()
        metrics = measure(build_test_split(prepared, Rows(pixels), pixels.max(axis=(1, 2))), fpr_limit=0.3)
        accuracy[name] = {key: value for key, value in metrics.items() if key in ("image_auroc", "au_pro")}
    return accuracy


def main() -> None:
    """Run the variants one after the other; keep each result at once."""
    params = load_params()
    (size,), (category,), (seed,) = params.sizes, params.categories, params.seeds
    output = Path(sys.argv[1])
    for name in sys.argv[2:] or VARIANTS:
        accuracy = run_variant(name, Item(size, category, seed), params.train.preset)
        results = read_json(output) if output.is_file() else {}
        steps = load_params(category=category).train.recipe.steps
        variants = results.setdefault("ablations", {}).setdefault(category, {})
        variants[name] = {**accuracy, "size": size, "seed": seed, "steps": steps}
        write_json(output, results)


if __name__ == "__main__":
    main()
