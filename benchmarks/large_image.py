"""A defect of 10 px on images of 4,000 x 3,000 px: trained on good parts, exported, judged by OpenVINO.

    python benchmarks/large_image.py FOLDER

writes the images and the models below FOLDER. It prints for each defect its verdict, the distance of the map's peak and
of the pixels that `mark_defects` marks from its middle, and the time of an inference. The same files from C++:
`efficientad_infer FOLDER/model FOLDER/images/*.png`.
"""

import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from efficientad import __version__
from efficientad.calibration.threshold.choice import choose_display_scale, fit_threshold
from efficientad.data.drawing.nuisance import smooth_noise
from efficientad.data.images.encoding import write_png
from efficientad.data.images.marking import mark_defects
from efficientad.data.images.reading import read_image
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.export.onnx import write_onnx
from efficientad.deploy.export.openvino import write_openvino
from efficientad.deploy.predictor import predict_image
from efficientad.model.detector import Detector
from efficientad.model.header import ModelHeader
from efficientad.model.inference import compute_detections, compute_raw_maps
from efficientad.model.maps import Levels, fit_quantiles
from efficientad.model.weights import load_teacher
from efficientad.pipeline.params_file import load_params
from efficientad.teacher.shipped import locate_shipped_teacher
from efficientad.training.detection.batches import TrainingImages
from efficientad.training.detection.detector import train_detector

SIZE = (3000, 4000)
DEFECT_PX = 10
TRAIN, VALIDATION = 6, 2
DEFECTS = ((120, 3700), (1500, 2000), (2900, 300))  # rows and columns of their middles
STEPS = 100


def draw(rng: np.random.Generator, defect: tuple[int, int] | None = None) -> np.ndarray:
    """Return a grained surface in uneven light, with a dark spot at `defect`."""
    light = 120 + 20 * smooth_noise(rng, SIZE, 800) + 12 * smooth_noise(rng, SIZE, 6)
    if defect is not None:
        rows, columns = np.ogrid[: SIZE[0], : SIZE[1]]
        light[np.hypot(rows - defect[0], columns - defect[1]) < DEFECT_PX / 2] = 30
    return np.repeat(light.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def train(folder: Path) -> Path:
    """Train on good parts, calibrate on held-out ones, export; return the model's folder."""
    rng = np.random.default_rng(0)
    images = np.stack([draw(rng) for _ in range(TRAIN + VALIDATION)])
    params = load_params().train
    params = replace(params, cpu=replace(params.cpu, steps=STEPS))
    penalties = rng.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8).repeat(16, axis=1).repeat(16, axis=2)
    teacher = load_teacher(locate_shipped_teacher("S"), "S").float()
    data = TrainingImages(images, np.arange(TRAIN), penalties)
    networks, _ = train_detector("S", teacher, data, params, 0, folder)
    detector = Detector("S", params.recipe.shared_convolutions)
    detector.student_teacher = networks
    held_out = np.arange(TRAIN, TRAIN + VALIDATION)
    quantiles = [
        fit_quantiles(maps, Levels(0.9, 0.995)) for maps in compute_raw_maps(detector, images, np.arange(TRAIN))
    ]
    detector.set_quantiles(quantiles)
    _, scores = compute_detections(detector, images, held_out, folder / "maps.npy")
    threshold = fit_threshold(scores, 1 / (VALIDATION + 1))
    scale = choose_display_scale(scores, threshold.value)
    header = ModelHeader(
        "S", SIZE, "surface", threshold.value, threshold.false_alarm_rate, scale, "none", __version__,
        branches=tuple(detector.list_branches()),
    )  # fmt: skip
    write_onnx(detector, header, folder / "model.onnx")
    write_openvino(folder / "model.onnx", header, folder / "model/1/model.xml", fp16=False)
    return folder / "model"


def main() -> None:
    """Train, then judge each defect from its file."""
    folder = Path(sys.argv[1])
    (folder / "images").mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    model = train(folder)
    print(f"trained, calibrated and exported in {time.perf_counter() - started:.0f} s")
    engine = load_engine(model)
    for index, middle in enumerate(DEFECTS):
        path = folder / f"images/{index}.png"
        write_png(path, draw(np.random.default_rng(100 + index), middle))
        image = read_image(path)
        started = time.perf_counter()
        prediction = predict_image(engine, image)
        seconds = time.perf_counter() - started
        peak = np.unravel_index(prediction.anomaly_map.argmax(), SIZE)
        rows, columns = np.nonzero(mark_defects(prediction.anomaly_map, prediction.threshold))
        farthest = np.hypot(rows - middle[0], columns - middle[1]).max(initial=0)
        off = np.hypot(peak[0] - middle[0], peak[1] - middle[1])
        print(
            f"{path.name}: {prediction.verdict}, score {prediction.score:.3f}, threshold {prediction.threshold:.3f}, "
            f"peak {off:.1f} px from the middle, {len(rows)} px marked, the farthest {farthest:.1f} px from it; "
            f"{seconds:.1f} s"
        )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
