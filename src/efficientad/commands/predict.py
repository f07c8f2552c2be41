"""`efficientad predict`: judge images."""

import argparse
from pathlib import Path

from efficientad.commands.arguments import MODEL, Commands, add_openvino, read_engine_options

EXIT_SKIPPED = 3


def add(commands: Commands) -> None:
    """Add the command."""
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
    add_openvino(predict)
    predict.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Judge the images; 3 when some could not be read."""
    from efficientad.deploy.batch import predict_files
    from efficientad.deploy.engines.load import load_engine
    from efficientad.deploy.format.files import locate_model
    from efficientad.deploy.records import describe_run

    single_image = options.images.is_file()
    model = locate_model(options.model)
    engine_options = read_engine_options(options, hint="LATENCY" if single_image else "THROUGHPUT")
    run = describe_run(options.images, model, engine_options, options.heat_maps)
    engine = load_engine(model, engine_options)
    if not single_image:
        command = "the same command without --restart" if options.restart else "the same command"
        options.after_interrupt = f"; {command} continues from here"
    return EXIT_SKIPPED if predict_files(engine, options.images, options.output, run, options.restart) else 0
