"""`efficientad threshold`: show the threshold of a finished model, or set it from the station's own images."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from efficientad.commands.arguments import (
    Commands,
    add_limits,
    add_openvino,
    parse_rate,
    read_engine_options,
    read_limits,
)
from efficientad.errors import DataError
from efficientad.pipeline.printable import make_printable

if TYPE_CHECKING:
    from efficientad.deploy.threshold.setting import Setting

EXIT_SKIPPED = 3
_RATE = 0.05


def add(commands: Commands) -> None:
    """Add the command."""
    threshold = commands.add_parser(
        "threshold",
        help="show or set the threshold of a finished model",
        description="Without --good: show the threshold of each file of a model, and where it comes from. With --good: "
        "set it from good images of this station, in the ONNX file and in the IR of each precision.",
    )
    threshold.add_argument("model", type=Path, help="models/SIZE/CATEGORY/SEED, or a .xml (OpenVINO) or .onnx file")
    threshold.add_argument(
        "--good", type=Path, metavar="FOLDER",
        help="good images, each of another part, none of which the model was trained on",
    )  # fmt: skip
    threshold.add_argument(
        "--defects",
        type=Path,
        metavar="FOLDER",
        help="images of defects, to count how many are missed; they set nothing",
    )
    threshold.add_argument(
        "--false-alarm-rate", type=parse_rate, metavar="RATE",
        help=f"of new good images, at most; 1 / RATE - 1 good images are needed (default: {_RATE})",
    )  # fmt: skip
    threshold.add_argument("--dry-run", action="store_true", help="show what would be set, write nothing")
    add_limits(threshold, "is skipped")
    add_openvino(threshold)
    threshold.set_defaults(run=run, usage_error=threshold.error)


def run(options: argparse.Namespace) -> int:
    """Show or set the threshold; 3 when images were skipped."""
    from efficientad.deploy.threshold.files import list_models

    models = list_models(options.model)
    if options.good is None:
        if options.defects or options.false_alarm_rate or options.dry_run:
            options.usage_error("expected --good FOLDER with --defects, --false-alarm-rate and --dry-run")
        for file in models:
            print(make_printable(_describe(options.model, file)))
        return 0
    return _set(options, models)


def _set(options: argparse.Namespace, models: Sequence[Path]) -> int:
    from efficientad.deploy.sources import list_sources, print_left_out
    from efficientad.deploy.threshold.files import locate_journal
    from efficientad.deploy.threshold.replace import finish_replacing
    from efficientad.deploy.threshold.setting import choose_settings, write_settings

    rate = options.false_alarm_rate or _RATE
    good = list_sources([options.good], [])
    defects = list_sources([options.defects], []) if options.defects else {}
    if options.defects and not defects:
        raise DataError(f"expected images in {options.defects}, found none; check the path")
    for folder, files in ((options.good, good), (options.defects, defects)):
        if folder:
            print_left_out([folder], files.values(), [])
    if not options.dry_run:  # what was interrupted counts before what is chosen now
        finish_replacing(locate_journal(options.model))
    engine_options = read_engine_options(options, hint="THROUGHPUT")
    settings = choose_settings(models, good, defects, rate, engine_options, read_limits(options))
    for setting in settings:
        print(make_printable(_report(options.model, setting)))
    if options.dry_run:
        print("nothing was written: --dry-run")
    else:
        write_settings(options.model, settings)
    skipped = settings[0].good.skipped + (settings[0].defects.skipped if settings[0].defects else 0)
    return EXIT_SKIPPED if skipped else 0


def _describe(model: Path, file: Path) -> str:
    from efficientad.deploy.threshold.files import read_header

    header, origin = read_header(file)
    name, rate = _name(model, file), header.false_alarm_rate
    return f"{name:14} {header.threshold:.6g}  at most {rate:.4g} of good images above it, {origin}"


def _report(model: Path, setting: "Setting") -> str:
    before, after, good = setting.before, setting.after, setting.good
    text = (
        f"{_name(model, setting.file):14} {before.threshold:.6g} -> {after.threshold:.6g}  at most "
        f"{after.false_alarm_rate:.4g} of good images above it, from {good.images} images; "
        f"{setting.false_alarms_before} of them lay above the old one"
    )
    if setting.defects is not None:
        text += f"; misses {setting.misses} of {len(setting.defects.values)} defects"
    return text


def _name(model: Path, file: Path) -> str:
    """Return what tells a model's files apart: openvino/int8, or detector.onnx."""
    if file == model or file.suffix == ".onnx":
        return file.name
    folder = file.parent.parent
    return folder.relative_to(model).as_posix() if folder != model else file.relative_to(model).as_posix()
