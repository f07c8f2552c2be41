"""One image from uint8 to score, in each runtime and precision, and many through OpenVINO's queue."""

from collections.abc import Callable
from dataclasses import dataclass
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
from efficientad.deploy.format.graph import StationGraph
from efficientad.deploy.timing import measure_throughput, summarise, time_repeatedly
from efficientad.model.detector import Detector
from efficientad.model.header import ModelHeader
from efficientad.model.sizes import BankScale, Size
from efficientad.pipeline.cache import locate_cache
from efficientad.pipeline.params import Params
from efficientad.pipeline.params_file import load_params
from efficientad.teacher.lite_weights import load_efficientnet_lite
from efficientad.training.engine.precision import settle_precision

REPEATS, MANY = 40, 60
INT8_KEPT = "first"  # what the export stage chose on magnetic tile and screw


@dataclass(frozen=True)
class Kind:
    """A detector whose time is measured; `suffix` is behind the names of its figures."""

    suffix: str
    size: Size
    shared_convolutions: int
    banks: list[tuple[BankScale, int]]
    image_size: tuple[int, int]


def list_kinds(params: Params) -> list[Kind]:
    """Return the paper's networks, those of train.cpu, and last the detector that params.yaml exports.

    The first two are of size S at 256 px, without memory banks.
    """
    shared, (size, *_) = params.train.cpu.shared_convolutions, params.sizes
    banks = [(scale, params.fit.bank_patches.select(scale)) for scale in params.fit.banks.select(size)]
    return [
        Kind("_unshared", "S", 0, [], (256, 256)),
        Kind("_shared", "S", shared, [], (256, 256)),
        Kind("", size, shared, banks, params.data.frame),
    ]


def measure_inference() -> dict[str, Any]:
    """Return the section `inference` of `list_kinds`. Torch is eager.

    Weights do not matter for the time: those of students and memory banks are random.
    """
    timings: dict[str, Any] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        for kind in list_kinds(load_params()):
            detector, suffix = build_random_detector(kind), kind.suffix
            image = np.random.default_rng(0).integers(0, 256, (1, *kind.image_size, 3), dtype=np.uint8)
            header = ModelHeader(kind.size, kind.image_size, "benchmark", 1.0, 0.05, 1.0, "none", __version__)
            write_onnx(detector, header, folder / f"model{suffix}.onnx")
            graph = StationGraph(detector, header)
            timings[f"torch_fp32{suffix}"] = time_torch(graph, image, bfloat16=False)
            if settle_precision("auto", locate_cache()) == "bf16":
                timings[f"torch_bf16{suffix}"] = time_torch(graph, image, bfloat16=True)
            for half in (False, True):
                path = folder / f"{'fp16' if half else 'fp32'}{suffix}" / "model.xml"
                write_openvino(folder / f"model{suffix}.onnx", header, path, half)
            eight_bits = quantise(folder / f"fp32{suffix}" / "model.xml", np.repeat(image, 4, axis=0), KEPT[INT8_KEPT])
            append_verdict(eight_bits, header)
            save_ir(eight_bits, header, folder / f"int8{suffix}" / "model.xml", fp16=False)
            timings[f"onnxruntime_fp32{suffix}"] = time_engine(OnnxEngine(folder / f"model{suffix}.onnx").run, image)
            cases: list[tuple[str, str, Precision]] = [
                ("fp32", "fp32", "f32"),
                ("fp16", "fp16", "f32"),
                ("int8", "int8", "f32"),
            ]
            if settle_precision("auto", locate_cache()) == "bf16":
                cases.append(("bf16", "fp32", "bf16"))
            for label, weights, precision in cases:
                path = folder / f"{weights}{suffix}" / "model.xml"
                latencies = time_engine(OpenVINOEngine(path, EngineOptions(precision=precision)).run, image)
                busy = OpenVINOEngine(path, EngineOptions(precision=precision, hint="THROUGHPUT"))
                latencies["images_per_s"] = measure_throughput(busy, image, MANY).images_per_s
                timings[f"openvino_{label}{suffix}"] = latencies
    return timings


def build_random_detector(kind: Kind) -> Detector:
    """Build a detector whose maps are neither 0 nor infinite."""
    torch.manual_seed(0)
    detector = Detector(kind.size, kind.shared_convolutions, banks=kind.banks).eval()
    if detector.backbone_banks is not None:
        detector.backbone_banks.backbone.load_state_dict(load_efficientnet_lite(0).state_dict())
        for name, values in detector.backbone_banks.banks.named_buffers():
            if name.endswith(("projection", "patches")):
                values.normal_()
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
    """Return latencies of one image at a time, and the images per second that they give."""
    times = time_repeatedly(lambda: run(image), REPEATS)
    return {**summarise(times), "images_per_s": round(1000 / float(np.median(times)), 1)}


def find_peak_share(inference: dict[str, Any]) -> dict[str, float]:
    """Return the share of the measured peak that OpenVINO's multiplications reach in each precision."""
    from torch.utils.flop_counter import FlopCounterMode

    *_, exported = list_kinds(load_params())
    detector = build_random_detector(exported)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        detector(torch.rand(1, 3, *exported.image_size))
    work = counter.get_total_flops() / 2 / 1e9
    kinds = {"openvino_fp32": torch.float32, "openvino_bf16": torch.bfloat16}
    return {
        name: round(work / (inference[name]["p50_ms"] * 1e-3) / measure_peak(dtype), 3)
        for name, dtype in kinds.items()
        if name in inference
    }
