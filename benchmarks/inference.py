"""One image from uint8 to score, in each runtime and precision, and many through OpenVINO's queue."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from timing import measure_peak

from efficientad import __version__
from efficientad.deploy.engines.engine import EngineOptions, Precision
from efficientad.deploy.engines.onnxruntime import OnnxEngine
from efficientad.deploy.engines.openvino import OpenVINOEngine
from efficientad.deploy.export.int8.quantise import KEPT, quantise
from efficientad.deploy.export.onnx import write_onnx
from efficientad.deploy.export.openvino import append_verdict, save_ir, write_openvino
from efficientad.deploy.graph import StationGraph
from efficientad.deploy.timing import measure_throughput, summarise, time_repeatedly
from efficientad.model.detector import Detector
from efficientad.model.header import ModelHeader
from efficientad.model.maps import Quantiles
from efficientad.pipeline.params import load_params
from efficientad.training.precision import uses_bfloat16

REPEATS, MANY = 40, 60
INT8_KEPT = "first"  # what the export stage chose on magnetic tile and screw


def measure_inference() -> dict[str, Any]:
    """Return the section `inference`, size S at 256 px; weights do not matter for the time, so they are random.

    Names that end in _unshared are of the paper's networks (nothing shared, no memories), those in _no_memory of what
    train.cpu exports without memories, the others of what params.yaml exports. Torch is eager.
    """
    params = load_params()
    shared, scales = params.train.cpu.shared_convolutions, params.calibrate.memory_scales
    patches = params.calibrate.memory_patches
    image = np.random.default_rng(0).integers(0, 256, (1, 256, 256, 3), dtype=np.uint8)
    found: dict[str, Any] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        for sharing, remembered, suffix in ((0, (), "_unshared"), (shared, (), "_no_memory"), (shared, scales, "")):
            detector = build_random_detector(sharing, [(scale, patches) for scale in remembered])
            header = ModelHeader(
                "S", (256, 256), "benchmark", 1.0, 0.05, 1.0, (0.0, 1.0), (0.0, 1.0), "none", __version__
            )
            write_onnx(detector, header, folder / f"model{suffix}.onnx")
            graph = StationGraph(detector, header)
            found[f"torch_fp32{suffix}"] = time_torch(graph, image, bfloat16=False)
            if uses_bfloat16("auto"):
                found[f"torch_bf16{suffix}"] = time_torch(graph, image, bfloat16=True)
            for half in (False, True):
                path = folder / f"{'fp16' if half else 'fp32'}{suffix}" / "model.xml"
                write_openvino(folder / f"model{suffix}.onnx", header, path, half)
            eight_bits = quantise(folder / f"fp32{suffix}" / "model.xml", np.repeat(image, 4, axis=0), KEPT[INT8_KEPT])
            append_verdict(eight_bits, header)
            save_ir(eight_bits, header, folder / f"int8{suffix}" / "model.xml", fp16=False)
            found[f"onnxruntime_fp32{suffix}"] = time_engine(OnnxEngine(folder / f"model{suffix}.onnx").run, image)
            cases: list[tuple[str, str, Precision]] = [
                ("fp32", "fp32", "f32"),
                ("fp16", "fp16", "f32"),
                ("int8", "int8", "f32"),
            ]
            if uses_bfloat16("auto"):
                cases.append(("bf16", "fp32", "bf16"))
            for label, weights, precision in cases:
                path = folder / f"{weights}{suffix}" / "model.xml"
                one = time_engine(OpenVINOEngine(path, EngineOptions(precision=precision)).run, image)
                busy = OpenVINOEngine(path, EngineOptions(precision=precision, hint="THROUGHPUT"))
                one["images_per_s"] = measure_throughput(busy, image, MANY).images_per_s
                found[f"openvino_{label}{suffix}"] = one
    return found


def build_random_detector(sharing: int, memories: list[tuple[int, int]]) -> Detector:
    """Build a detector of size S whose maps are neither 0 nor infinite, memories of (scale, patches) among them."""
    torch.manual_seed(0)
    detector = Detector("S", sharing, memories=memories).eval()
    for name, values in detector.memories.named_buffers():
        if name.endswith(("projection", "bank")):
            values.normal_()
    quantiles = Quantiles(0.0, 1.0)
    detector.set_calibration(quantiles, quantiles, 1.0, [quantiles] * len(memories))
    return detector


def time_torch(graph: StationGraph, image: NDArray[np.uint8], bfloat16: bool) -> dict[str, float]:
    """Time eager torch, channels last."""
    graph = graph.to(memory_format=torch.channels_last) if bfloat16 else graph  # type: ignore[call-overload]
    pixels = torch.from_numpy(image)

    def run(_: NDArray[np.uint8]) -> object:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return graph(pixels)

    return time_engine(run, image)


def time_engine(run: Callable[[NDArray[np.uint8]], object], image: NDArray[np.uint8]) -> dict[str, float]:
    """Return latencies of one image at a time and what they come to in a second."""
    times = time_repeatedly(lambda: run(image), REPEATS)
    return {**summarise(times), "images_per_s": round(1000 / float(np.median(times)), 1)}


def find_peak_share(inference: dict[str, Any]) -> dict[str, float]:
    """Return which share of the measured peak OpenVINO's multiplications reach in each precision."""
    from torch.utils.flop_counter import FlopCounterMode

    params = load_params()
    memories = [(scale, params.calibrate.memory_patches) for scale in params.calibrate.memory_scales]
    detector = build_random_detector(params.train.cpu.shared_convolutions, memories)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        detector(torch.rand(1, 3, 256, 256))
    work = counter.get_total_flops() / 2 / 1e9
    kinds = {"openvino_fp32": torch.float32, "openvino_bf16": torch.bfloat16}
    return {
        name: round(work / (inference[name]["p50_ms"] * 1e-3) / measure_peak(dtype), 3)
        for name, dtype in kinds.items()
        if name in inference
    }
