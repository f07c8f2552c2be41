"""Measures the exported models of a finished run on all of its test images: docs/deployment.json, and a page from it.

    python benchmarks/deployment.py [NAME OUTPUT [--cpp FOLDER]]

reads the models of the workspace, of one size, category and seed, and adds the data set NAME to OUTPUT, a
deployment.json. FOLDER is the cpp/build of `make cpp`. Without arguments it only renders the page.
"""

import argparse
import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from model_api.adapters import OpenvinoAdapter
from model_api.models import Model
from numpy.typing import NDArray

from efficientad.data.arrays.prepared import Prepared, load_prepared
from efficientad.data.images.encoding import encode_png
from efficientad.deploy.engines.core import open_core
from efficientad.deploy.engines.engine import Engine, Outputs
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.engines.torch import TorchEngine
from efficientad.deploy.export.comparison import measure_outputs, measure_size
from efficientad.deploy.export.models import ONNX_NAME, name_ir
from efficientad.deploy.export.parity import run_reference, run_station
from efficientad.deploy.format.files import locate_ir, locate_onnx
from efficientad.deploy.format.metadata import LABELS
from efficientad.deploy.timing import summarise, time_repeatedly
from efficientad.pipeline.layout import Item, locate_prepared
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import read_json, write_json

RESULTS, PAGE = Path("docs/deployment.json"), Path("docs/deployment.md")
REPEATS = 50
COLUMNS = {
    "banks": "memory banks",
    "image_auroc": "image AUROC",
    "au_pro": "AU-PRO",
    "outline_iou": "outline IoU",
    "image_f1_max": "F1-max",
    "max_map_difference": "largest map difference",
    "max_score_difference": "largest score difference",
    "verdict_flips": "verdict flips",
    "model_api_flips": "Model API's flips",
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "size_mb": "MB",
}


def measure_models(item: Item, fpr_limit: float, programs: Path | None) -> dict[str, Any]:
    """Return the values of `COLUMNS` for each runtime and precision; some have fewer."""
    prepared = load_prepared(locate_prepared(item.category))
    chosen = prepared.indices("test")
    torch = TorchEngine(item.detector)
    expected = run_reference(torch, prepared, chosen)
    verdicts = expected.scores > torch.header.threshold
    banks = sum(branch.name.startswith("memory_bank") for branch in torch.header.branches)

    def describe(outputs: Outputs, threshold: float) -> dict[str, Any]:
        return {
            "banks": banks,
            **measure_outputs(outputs, prepared, chosen, fpr_limit, threshold),
            "max_map_difference": float(np.abs(outputs.maps - expected.maps).max()),
            "max_score_difference": float(np.abs(outputs.scores - expected.scores).max()),
            "verdict_flips": int(((outputs.scores > threshold) != verdicts).sum()),
        }

    accuracy = measure_outputs(expected, prepared, chosen, fpr_limit, torch.header.threshold)
    models = {"torch_fp32": {"banks": banks, **accuracy, **time_engine(torch)}}
    paths = {name_ir(precision): locate_ir(item.models, precision) for precision in ("fp32", "fp16", "int8")}
    for name, path in {ONNX_NAME: locate_onnx(item.models), **paths}.items():
        if path.is_file():
            engine = load_engine(path)
            outputs = describe(run_station(engine, prepared, chosen), engine.header.threshold)
            models[name] = {**outputs, **time_engine(engine), "size_mb": measure_size(path)}
            if path.suffix == ".xml":
                models[name]["model_api_flips"] = count_model_api_flips(path, engine, prepared, chosen)
    if programs is not None:
        path = paths[name_ir("fp32")]
        outputs = describe(run_program(programs / "efficientad_infer", path, prepared, chosen), torch.header.threshold)
        done = subprocess.run(
            [programs / "efficientad_benchmark", path, str(REPEATS)], capture_output=True, check=True, text=True
        )
        timed = {key: round(value, 2) for key, value in json.loads(done.stdout).items() if key in ("p50_ms", "p95_ms")}
        models["cpp_fp32"] = {**outputs, **timed, "size_mb": measure_size(path)}
    return models


def count_model_api_flips(path: Path, engine: Engine, prepared: Prepared, chosen: NDArray[np.intp]) -> int:
    """Count the images on which OpenVINO Model API gives the IR another verdict than our engine."""
    adapter = OpenvinoAdapter(open_core(), str(path), plugin_config={"INFERENCE_PRECISION_HINT": "f32"})
    model = Model.create_model(adapter)
    flips = 0
    for index in chosen:
        image = prepared.images[index]
        ours = engine.run(image[None]).scores[0] > engine.header.threshold
        theirs = model(np.ascontiguousarray(image[..., ::-1])).pred_label == LABELS[1]  # BGR, as OpenCV reads it
        flips += bool(ours != theirs)
    return flips


def time_engine(engine: Engine) -> dict[str, float]:
    """Time one image at a time, from pixels of the model's size to the score."""
    image = np.random.default_rng(0).integers(0, 256, (1, *engine.header.image_size, 3), dtype=np.uint8)
    return summarise(time_repeatedly(lambda: engine.run(image), REPEATS))


def run_program(program: Path, model: Path, prepared: Prepared, chosen: NDArray[np.intp]) -> Outputs:
    """Return maps and scores of the C++ program for the same files."""
    native = {name: path for path, name in prepared.raw}
    with TemporaryDirectory() as name:
        folder = Path(name)
        for place, index in enumerate(chosen):
            path = native.get(prepared.rows[index].name)
            payload = path.read_bytes() if path else encode_png(prepared.images[index])
            (folder / f"{place}.png").write_bytes(payload)
        files = [folder / f"{place}.png" for place in range(len(chosen))]
        command = [str(argument) for argument in (program, model, "--json", "--map-dir", folder, *files)]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        maps = np.stack([np.asarray(cv2.imread(f"{file}.tiff", cv2.IMREAD_UNCHANGED), np.float32) for file in files])
    return Outputs(maps, np.array([json.loads(line)["score"] for line in done.stdout.splitlines()], np.float32))


def render(results: dict[str, Any]) -> str:
    """Return the page."""
    lines = [
        "# Deployment",
        "",
        "Rendered by `benchmarks/deployment.py` from docs/deployment.json; do not edit. All test images of each",
        "data set. Differences are against torch, in units of the normalised map (0.1 = high quantile of good",
        "parts). Verdicts are by the threshold in each file. Model API's flips compare its verdicts with ours on",
        "the same file. Images that the run kept at native size are decoded and resized by each runtime itself.",
        "Latencies are of one image at a time, from pixels to score, on two cores; compare them within a data set",
        "only. Screw's detector is older than docs/decisions/0021: the comparison of the runtimes holds, its",
        "accuracy stands in results.md. Magnetic tile is split by image, which leaks (results.md): the comparison",
        "of the runtimes holds here, too.",
    ]
    for name, models in results.items():
        lines += [
            "",
            f"## {name}",
            "",
            f"| model | {' | '.join(COLUMNS.values())} |",
            "|---" * (len(COLUMNS) + 1) + "|",
        ]
        for model, values in models.items():
            cells = [_show(values.get(column)) for column in COLUMNS]
            lines.append(f"| {model} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _show(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) and value < 0.1 else str(value)


def main() -> None:
    """Measure where asked, render."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?")
    parser.add_argument("output", nargs="?", type=Path)
    parser.add_argument("--cpp", type=Path)
    options = parser.parse_args()
    if options.name is None:
        PAGE.write_text(render(read_json(RESULTS)), "utf-8")
        return
    params = load_params()
    (size,), (category,), (seed,) = params.sizes, params.categories, params.seeds
    results = read_json(options.output) if options.output.is_file() else {}
    item = Item(size, category, seed)
    results[options.name] = measure_models(item, params.evaluate.fpr_limit, options.cpp)
    write_json(options.output, results)


if __name__ == "__main__":
    main()
