"""`efficientad predict`: judge images."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from efficientad.commands.arguments import (
    MODEL,
    Commands,
    add_limits,
    add_openvino,
    parse_seconds,
    read_engine_options,
    read_limits,
)
from efficientad.commands.interrupts import interrupt_on_sigterm

if TYPE_CHECKING:
    from efficientad.deploy.engines.engine import Engine
    from efficientad.deploy.judge import Output
    from efficientad.deploy.records import Run

EXIT_SKIPPED = 3


def add(commands: Commands) -> None:
    """Add the command."""
    predict = commands.add_parser(
        "predict",
        help="judge images: score, verdict, regions, heat map",
        description="Judge images. After an interruption the same command continues with the images that are left, and "
        "with those whose files changed.",
    )
    predict.add_argument("images", type=Path, nargs="+", help="images, or folders of images at any depth")
    predict.add_argument("--model", type=Path, required=True, help=MODEL)
    predict.add_argument("--output", type=Path, default=Path("predictions"), help="folder (default: %(default)s)")
    predict.add_argument(
        "--heat-maps", action="store_true", help="also write each image with its heat map laid over it"
    )
    predict.add_argument(
        "--map-dir", type=Path, metavar="FOLDER",
        help="also write each anomaly map as TIFF of 32-bit floats, of the model's size and not the image's",
    )  # fmt: skip
    predict.add_argument(
        "--watch", type=parse_seconds, nargs="?", const=1.0, metavar="SECONDS",
        help="go on judging what arrives in the folders, until Ctrl-C or SIGTERM; a file is read when it has not "
        "changed for so long (default: %(const)s)",
    )  # fmt: skip
    add_limits(predict, "is skipped")
    predict.add_argument(
        "--restart", action="store_true",
        help="replace the results in the output folder and judge all images again",
    )  # fmt: skip
    add_openvino(predict)
    predict.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Judge the images; 3 when some were skipped, but 0 after watching."""
    from efficientad.deploy.batch import is_single
    from efficientad.deploy.engines.load import load_engine
    from efficientad.deploy.format.files import locate_model
    from efficientad.deploy.judge import Output
    from efficientad.deploy.records import describe_run
    from efficientad.deploy.sources import find_root

    single = is_single(options.images)
    model = locate_model(options.model)
    one_by_one = single or options.watch is not None
    engine_options = read_engine_options(options, hint="LATENCY" if one_by_one else "THROUGHPUT")
    output = Output(options.output, options.heat_maps, options.map_dir, read_limits(options))
    run = describe_run(find_root(options.images), model, engine_options, output.heat_maps, output.maps)
    engine = load_engine(model, engine_options)
    if not single:
        command = "the same command without --restart" if options.restart else "the same command"
        options.after_interrupt = f"; {command} continues from here"
    return _judge(options, engine, output, run)


def _judge(options: argparse.Namespace, engine: "Engine", output: "Output", run: "Run") -> int:
    if options.watch is None:
        from efficientad.deploy.batch import predict_files

        with interrupt_on_sigterm():
            return EXIT_SKIPPED if predict_files(engine, options.images, output, run, options.restart) else 0
    from efficientad.deploy.watch import stop_by_signals, watch_folders

    with stop_by_signals() as stop:
        watch_folders(engine, options.images, output, run, options.watch, stop, options.restart)
    return 0
