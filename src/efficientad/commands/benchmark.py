"""`efficientad benchmark`: time a model on this machine."""

import argparse
import json
from pathlib import Path

from efficientad.commands.arguments import (
    MODEL,
    Commands,
    add_openvino,
    parse_count,
    parse_seconds,
    read_engine_options,
)
from efficientad.pipeline.printable import make_printable


def add(commands: Commands) -> None:
    """Add the command."""
    benchmark = commands.add_parser("benchmark", help="time a model on this machine: latency and images per second")
    benchmark.add_argument("model", type=Path, help=MODEL)
    add_openvino(benchmark)
    benchmark.add_argument("--threads", type=parse_count, help="of OpenVINO, in total (default: OpenVINO chooses)")
    benchmark.add_argument(
        "--streams", type=parse_count, help="images in work at the same time; affects images per second only"
    )
    benchmark.add_argument(
        "--seconds", type=parse_seconds, default=5.0, help="how long to measure (default: %(default)s)"
    )
    benchmark.add_argument("--json", action="store_true", help="print one JSON object")
    benchmark.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Time the model, print the figures."""
    from efficientad.deploy.timing import benchmark_model

    engine_options = read_engine_options(options, threads=options.threads, streams=options.streams)
    timings = benchmark_model(options.model, engine_options, options.seconds)
    if options.json:
        print(json.dumps(timings, ensure_ascii=False))
    else:
        for name, value in timings.items():
            print(make_printable(f"{name:13} {'-' if value is None else value}"))
    return 0
