"""Arguments that several commands share."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from efficientad.data.files.limits import Limits
    from efficientad.deploy.engines.engine import EngineOptions

Commands = Any  # what argparse's add_subparsers returns, whose class is private
MODEL = "models/SIZE/CATEGORY/SEED, or a .xml (OpenVINO), .onnx or .safetensors (torch) file"


MOST_SECONDS = 86_400


def add_openvino(parser: argparse.ArgumentParser) -> None:
    """Add --device, --precision and --model-cache."""
    parser.add_argument("--device", default="CPU", help="OpenVINO device (default: %(default)s)")
    parser.add_argument(
        "--precision", choices=("f32", "bf16", "f16"), default="f32",
        help="of OpenVINO's arithmetic; f32 gives the scores of training (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--model-cache", type=Path, help="folder for OpenVINO's compiled model, so that the next start is quick"
    )


def add_limits(parser: argparse.ArgumentParser, told: str) -> None:
    """Add --max-megapixels and --max-megabytes; `told`: what becomes of a larger image."""
    parser.add_argument(
        "--max-megapixels", type=parse_millions, default=200, metavar="N",
        help=f"of an image: a larger one {told} before it is decoded (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--max-megabytes", type=parse_millions, default=1024, metavar="N",
        help="of its file, 10^6 bytes (default: %(default)s)",
    )  # fmt: skip


def read_limits(options: argparse.Namespace) -> "Limits":
    """Return what `add_limits` read."""
    from efficientad.data.files.limits import Limits

    return Limits(options.max_megapixels, options.max_megabytes)


def read_engine_options(options: argparse.Namespace, **others: Any) -> "EngineOptions":
    """Return what `add_openvino` read, and others of the engine's options."""
    from efficientad.deploy.engines.engine import EngineOptions

    return EngineOptions(options.device, options.precision, cache=options.model_cache, **others)


def parse_port(text: str) -> int:
    """Return a port, 0 to 65535; argparse reports anything else."""
    if not text.isdecimal() or len(text) > 9 or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text}")
    return int(text)


def parse_count(text: str) -> int:
    """Return a whole number from 1; argparse reports anything else."""
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text[:60]}")
    return int(text)


def parse_seconds(text: str) -> float:
    """Return a number of seconds above 0, a day at most; argparse reports anything else."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"expected seconds above 0, at most {MOST_SECONDS}, got {text[:60]}; name paths before this option"
        )
    return seconds


def parse_millions(text: str) -> float:
    """Return a number above 0 and at most 10,000, such as megabytes; argparse reports anything else."""
    try:
        millions = float(text)
    except ValueError:
        millions = math.nan
    if not 0 < millions <= 10_000:
        raise argparse.ArgumentTypeError(f"expected a number above 0, at most 10000, got {text[:60]}")
    return millions


def parse_rate(text: str) -> float:
    """Return a false-alarm rate, as calibrate.false_alarm_rate takes it; argparse reports anything else."""
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0.0001 <= rate <= 0.5:
        raise argparse.ArgumentTypeError(f"expected a rate from 0.0001 to 0.5, got {text}")
    return rate
