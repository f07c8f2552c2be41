"""The command line: `efficientad predict`, `benchmark`, `probe` and `download`."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficientad import __version__
from efficientad.errors import EfficientADError

if TYPE_CHECKING:
    from efficientad.data.files.download import Progress
    from efficientad.deploy.engines.engine import EngineOptions

EXIT_ERROR, EXIT_SKIPPED, EXIT_INTERRUPTED = 1, 3, 130
MODEL = "models/SIZE/CATEGORY/SEED, or a .xml (OpenVINO), .onnx or .safetensors (torch) file"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns 0 on success; 1 with a line on stderr for an error that the user can put right; 3 when images were
    skipped because they could not be read; 130 after Ctrl-C. argparse exits with 2 on wrong usage.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file name that the terminal cannot show must not stop a run
            stream.reconfigure(errors="backslashreplace")
    options = build_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except BrokenPipeError:  # the reader of a pipe, such as `head`, closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except (EfficientADError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print(f"interrupted{options.after_interrupt}", file=sys.stderr)
        return EXIT_INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; a command imports its modules only when it runs."""
    parser = argparse.ArgumentParser(prog="efficientad", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    parser.set_defaults(after_interrupt="")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    predict = commands.add_parser(
        "predict",
        help="judge images: score, verdict, heat map",
        description="Judge images. After an interruption the same command continues with the images that are left.",
    )
    predict.add_argument("images", type=Path, help="an image, or a folder of images at any depth")
    predict.add_argument("--model", type=Path, required=True, help=MODEL)
    predict.add_argument("--output", type=Path, default=Path("predictions"), help="folder (default: %(default)s)")
    predict.add_argument(
        "--heat-maps", action="store_true", help="also write each image with its heat map laid over it"
    )
    predict.add_argument(
        "--restart", action="store_true",
        help="replace the results in the output folder and judge all images again",
    )  # fmt: skip
    _add_openvino(predict)
    predict.set_defaults(run=_predict)

    benchmark = commands.add_parser("benchmark", help="time a model on this machine: latency and images per second")
    benchmark.add_argument("model", type=Path, help=MODEL)
    _add_openvino(benchmark)
    benchmark.add_argument("--threads", type=_parse_count, help="of OpenVINO, in total (default: OpenVINO chooses)")
    benchmark.add_argument(
        "--streams", type=_parse_count, help="images in work at the same time; affects images per second only"
    )
    benchmark.add_argument("--seconds", type=float, default=5.0, help="how long to measure (default: %(default)s)")
    benchmark.add_argument("--json", action="store_true", help="print one JSON object")
    benchmark.set_defaults(run=_benchmark)

    probe = commands.add_parser("probe", help="measure in minutes how well a teacher's features separate a data set")
    probe.add_argument("prepared", type=Path, help="data/prepared/CATEGORY with defects in its test split")
    features = probe.add_mutually_exclusive_group()
    features.add_argument("--teacher", type=Path, help="teacher.safetensors (default: the shipped one)")
    features.add_argument(
        "--backbone", help="use the features that a teacher is distilled from, such as efficientnet_lite0"
    )
    probe.add_argument("--checkpoint", type=Path, help="weights of --backbone wide_resnet101_2")
    probe.add_argument("--size", choices=("S", "M"), default="S", help="of the teacher (default: %(default)s)")
    probe.add_argument(
        "--bank", type=_parse_count, default=12_000, help="normal patches in the memory bank (default: %(default)s)"
    )
    probe.set_defaults(run=_probe)

    download = commands.add_parser("download", help="fetch a data set or a published teacher, before any training")
    contents = download.add_subparsers(required=True, metavar="WHAT", dest="content")
    for name, root in (("imagenette", "pretraining.root; 1.5 GB"), ("mvtec", "data.root; 4.9 GB")):
        dataset = contents.add_parser(name, help=root)
        dataset.add_argument("--output", type=Path, required=True, help=f"folder, {root}")
        dataset.set_defaults(run=_download)
    teacher = contents.add_parser("teacher", help="teacher.path; 11 MB (S), 32 MB (M), 43 MB (anomalib)")
    teacher.add_argument("--size", choices=("S", "M"), required=True)
    teacher.add_argument("--output", type=Path, required=True, help="folder, teacher.path")
    teacher.add_argument(
        "--origin", choices=("nelson1425", "anomalib"), default="nelson1425",
        help="github nelson1425/EfficientAD, or anomalib's release with the same weights (default: %(default)s)",
    )  # fmt: skip
    teacher.add_argument(
        "--mirror", metavar="URL", type=_parse_address,
        help="address of another folder that holds the origin's file; it is checked all the same",
    )  # fmt: skip
    teacher.set_defaults(run=_download_teacher)
    return parser


def _add_openvino(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="CPU", help="OpenVINO device (default: %(default)s)")
    parser.add_argument(
        "--precision", choices=("f32", "bf16", "f16"), default="f32",
        help="of OpenVINO's arithmetic; f32 gives the scores of training (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--model-cache", type=Path, help="folder for OpenVINO's compiled model, so that the next start is quick"
    )


def _read_engine_options(options: argparse.Namespace, **others: Any) -> "EngineOptions":
    from efficientad.deploy.engines.engine import EngineOptions

    return EngineOptions(options.device, options.precision, cache=options.model_cache, **others)


def _parse_count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text}")
    return int(text)


def _parse_address(text: str) -> str:
    if "://" not in text:
        raise argparse.ArgumentTypeError(f"expected an address such as https://server/folder, got {text}")
    return text


def _predict(options: argparse.Namespace) -> int:
    from efficientad.deploy.batch import predict_files
    from efficientad.deploy.engines.load import load_engine
    from efficientad.deploy.format.files import locate_model
    from efficientad.deploy.records import describe_run

    single_image = options.images.is_file()
    model = locate_model(options.model)
    engine_options = _read_engine_options(options, hint="LATENCY" if single_image else "THROUGHPUT")
    run = describe_run(options.images, model, engine_options, options.heat_maps)
    engine = load_engine(model, engine_options)
    if not single_image:
        command = "the same command without --restart" if options.restart else "the same command"
        options.after_interrupt = f"; {command} continues from here"
    return EXIT_SKIPPED if predict_files(engine, options.images, options.output, run, options.restart) else 0


def _benchmark(options: argparse.Namespace) -> int:
    from efficientad.deploy.timing import benchmark_model

    engine_options = _read_engine_options(options, threads=options.threads, streams=options.streams)
    timings = benchmark_model(options.model, engine_options, options.seconds)
    if options.json:
        print(json.dumps(timings, ensure_ascii=False))
    else:
        for name, value in timings.items():
            print(f"{name:13} {'-' if value is None else value}")
    return 0


def _probe(options: argparse.Namespace) -> int:
    from efficientad.calibration.probe import (
        ProbeParams,
        build_backbone_features,
        build_teacher_features,
        probe_features,
    )
    from efficientad.data.arrays.prepared import load_prepared
    from efficientad.teacher.backbones import build_backbone
    from efficientad.teacher.shipped import locate_shipped_teacher

    if options.backbone:
        features = build_backbone_features(build_backbone(options.backbone, options.checkpoint))
    else:
        features = build_teacher_features(options.teacher or locate_shipped_teacher(options.size), options.size)
    metrics = probe_features(features, load_prepared(options.prepared), ProbeParams(bank_size=options.bank))
    print(", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))
    return 0


def _download(options: argparse.Namespace) -> int:
    from efficientad.data.files.download import download_mvtec
    from efficientad.data.pretraining.imagenette import download_imagenette

    download = download_mvtec if options.content == "mvtec" else download_imagenette
    with _show_progress(options.content) as advance:
        folder = download(options.output, progress=advance)
    print(folder)
    return 0


def _download_teacher(options: argparse.Namespace) -> int:
    from efficientad.teacher.origins import FILES, describe_published, fetch_published
    from efficientad.teacher.published import convert_published

    file = FILES[options.origin, options.size]
    with _show_progress(f"teacher {options.size}") as advance:
        source = fetch_published(file, options.output, options.mirror, progress=advance)
    header = describe_published(options.size, file)
    print(convert_published(source, file.member, options.output / f"{options.size}.safetensors", header))
    return 0


@contextmanager
def _show_progress(title: str) -> Iterator["Progress"]:
    from rich.progress import Progress as Bar

    with Bar() as bar:
        task = bar.add_task(title, total=None)

        def advance(received: int, total: int | None) -> None:
            bar.update(task, completed=received, total=total)

        yield advance


if __name__ == "__main__":
    sys.exit(main())
