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
from numpy.typing import NDArray
from torch import Tensor

from efficientad.data.arrays.prepared import Prepared, load_prepared
from efficientad.data.arrays.rows import Rows
from efficientad.evaluation.test_split import build_test_split, measure
from efficientad.model.backbone_banks import choose_window
from efficientad.model.detector import Detector
from efficientad.model.inference import compute_raw_maps
from efficientad.model.maps import QUANTILE_SCALE, apply_quantiles, compute_score, enlarge_map
from efficientad.model.pdn import TEACHER_CHANNELS, build_pdn
from efficientad.model.saved_detector import load_detector
from efficientad.model.weights import save_weights
from efficientad.pipeline.layout import Item, locate_prepared
from efficientad.pipeline.params_file import load_params
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
    assert item.size != "L"
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
    branches = compute_pixel_maps(detector, prepared)
    own = [branches[name] for name in ("student", "autoencoder") if name in branches]
    joint = {"both": np.mean(own, axis=0)} if own else {}
    joint |= {"all": np.mean([*branches.values()], axis=0)} if len(branches) > len(own) > 0 else {}
    window = choose_window(*prepared.size) if detector.size == "L" else (1, 1)
    accuracy: dict[str, dict[str, float]] = {}
    for name, pixels in (branches | joint).items():
        scores = compute_score(torch.from_numpy(pixels)[:, None], window).numpy()
        metrics = measure(build_test_split(prepared, Rows(pixels), scores), fpr_limit=0.3)
        accuracy[name] = {key: value for key, value in metrics.items() if key in ("image_auroc", "au_pro")}
    return accuracy


def compute_pixel_maps(detector: Detector, prepared: Prepared) -> dict[str, NDArray[np.float32]]:
    """Return normalised maps on the pixels (n, H, W) of the test images; their mean is the detector's map.

    "student" and "autoencoder", and "memory bank" of all banks together.
    """
    raw = [
        torch.from_numpy(np.stack(one))[:, None]
        for one in compute_raw_maps(detector, prepared.images, prepared.indices("test"))
    ]
    maps: dict[str, Tensor] = {}
    if detector.student_teacher is not None:
        student, autoencoder = (apply_quantiles(raw.pop(0), *detector.quantiles[index]) for index in range(2))
        spread = detector.student_teacher.add_on_pixels
        maps["student"] = spread(student, torch.zeros_like(autoencoder), prepared.size)
        maps["autoencoder"] = spread(torch.zeros_like(student), autoencoder, prepared.size)
    if detector.backbone_banks is not None:
        cells = detector.backbone_banks.combine(raw, detector.quantiles[-len(raw) :, 1])
        maps["memory bank"] = enlarge_map(QUANTILE_SCALE * cells, prepared.size)
    return {name: one[:, 0].numpy() for name, one in maps.items()}


def main() -> None:
    """Run the variants one after the other; keep each result at once."""
    params = load_params()
    (size,), (category,), (seed,) = params.sizes, params.categories, params.seeds
    if size == "L":
        sys.exit("expected sizes: [S] or [M] in params.yaml, got [L]; it trains nothing that could be left out")
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
