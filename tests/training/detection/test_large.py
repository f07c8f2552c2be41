"""A small defect on a large image: trained on pieces, judged whole."""

from dataclasses import replace

import numpy as np
import pytest
from import_closure import ROOT

from efficientad.calibration.threshold.choice import fit_threshold
from efficientad.data.drawing.nuisance import smooth_noise
from efficientad.model.detector import Detector
from efficientad.model.inference import compute_detections, compute_raw_maps
from efficientad.model.maps import Levels, fit_quantiles
from efficientad.model.weights import load_teacher
from efficientad.pipeline.params_file import load_params
from efficientad.teacher.shipped import locate_shipped_teacher
from efficientad.training.detection.batches import TrainingImages
from efficientad.training.detection.detector import train_detector

SIZE = (512, 1040)
DEFECT_PX = 10
NORMALS = np.arange(12)  # of which the last four are held out
DEFECTS = [(60, 900), (256, 500), (440, 100)]  # rows and columns of their middles


def draw(rng, defect=None):
    """A grained surface in uneven light, with a dark spot."""
    light = 120 + 20 * smooth_noise(rng, SIZE, 200) + 12 * smooth_noise(rng, SIZE, 6)
    if defect is not None:
        rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
        light[np.hypot(rows - defect[0], columns - defect[1]) < DEFECT_PX / 2] = 30
    return np.repeat(light.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Maps and scores of four normal images and of those with a defect, and the threshold of the former."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(0)
    images = np.stack([draw(rng) for _ in NORMALS] + [draw(rng, defect) for defect in DEFECTS])
    penalties = rng.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8).repeat(16, axis=1).repeat(16, axis=2)
    params = load_params(ROOT / "params.yaml").train
    params = replace(params, precision="fp32", cpu=replace(params.cpu, steps=60))
    teacher = load_teacher(locate_shipped_teacher("S"), "S").float()
    networks, _ = train_detector("S", teacher, TrainingImages(images, NORMALS[:-4], penalties), params, 0, folder)
    detector = Detector("S", params.recipe.shared_convolutions)
    detector.student_teacher = networks
    quantiles = [fit_quantiles(maps, Levels(0.9, 0.995)) for maps in compute_raw_maps(detector, images, NORMALS[-4:])]
    detector.set_quantiles(quantiles)
    maps, scores = compute_detections(detector, images, np.arange(NORMALS[-4], len(images)), folder / "maps.npy")
    return maps, scores, fit_threshold(scores[:4], 0.2)


@pytest.mark.long
@pytest.mark.parametrize("index", range(len(DEFECTS)))
def test_a_defect_of_10_px_is_found_and_outlined_at_its_place(judged, index):
    maps, scores, threshold = judged
    assert scores[4 + index] > threshold.value
    rows, columns = np.nonzero(maps[4 + index] > threshold.value)
    row, column = DEFECTS[index]
    assert np.hypot(rows - row, columns - column).max() < 2 * DEFECT_PX
    assert (np.median(rows), np.median(columns)) == pytest.approx((row, column), abs=DEFECT_PX / 2)
