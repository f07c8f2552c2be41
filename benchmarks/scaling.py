"""The cost of the passes over data sets of several sizes: prepare, keep the teacher's features, evaluate.

    python benchmarks/scaling.py COUNT

prints the seconds and the peak memory of COUNT training and COUNT test images as JSON. `measure_scaling` runs it once
per size, in a process of its own.
"""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from efficientad.data.datasets.prepare import write_prepared
from efficientad.data.datasets.registry import build_provider
from efficientad.data.datasets.splits import SplitPlan
from efficientad.evaluation.test_split import build_test_split, measure
from efficientad.model.detector import Detector
from efficientad.model.inference import compute_detections
from efficientad.model.weights import load_teacher
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import measure_peak_rss_mb
from efficientad.teacher.shipped import locate_shipped_teacher
from efficientad.training.detection.batches import TrainingImages
from efficientad.training.detection.teacher_features import keep_features

COUNTS = (50, 100, 200)


def measure_scaling() -> dict[str, Any]:
    """Return the section `scaling`: lists over the counts of images."""
    runs = [
        json.loads(subprocess.run([sys.executable, __file__, str(count)], check=True, stdout=subprocess.PIPE).stdout)
        for count in COUNTS
    ]
    return {"images": list(COUNTS), **{name: [run[name] for run in runs] for name in runs[0]}}


def run_passes(count: int, folder: Path) -> dict[str, float]:
    """Return seconds of all passes, of evaluation alone, and the peak memory in MB."""
    params = load_params()
    synthetic = replace(params.synthetic, train=count, test_good=count // 2, test_per_defect=count // 6 + 1)
    provider = build_provider("washer", replace(params.data, provider="synthetic"), synthetic, params.elpv)
    started = time.perf_counter()
    prepared = write_prepared(provider, folder / "prepared", (256, 256), SplitPlan(0.8, 0.1, 0), 2)
    torch.manual_seed(0)
    detector = Detector("S", params.train.cpu.shared_convolutions).eval()
    assert detector.student_teacher is not None
    networks = detector.student_teacher
    networks.teacher.load_state_dict(load_teacher(locate_shipped_teacher("S"), "S").float().state_dict())
    none = np.zeros((1, 512, 512, 3), dtype=np.uint8)
    keep_features(networks, TrainingImages(prepared.images, prepared.indices("train"), none), params.train, folder)
    evaluated = time.perf_counter()
    test = prepared.indices("test")
    measure(build_test_split(prepared, *compute_detections(detector, prepared.images, test, folder / "maps.npy")), 0.3)
    ended = time.perf_counter()
    return {
        "seconds": round(ended - started, 1),
        "evaluation_seconds_per_1000": round(1000 * (ended - evaluated) / len(test), 1),
        "rss_mb": measure_peak_rss_mb() or 0.0,
    }


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        print(json.dumps(run_passes(int(sys.argv[1]), Path(name))))
