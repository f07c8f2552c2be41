"""`efficientad verify`: check models, and show what each says of itself."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from efficientad.commands.arguments import Commands
from efficientad.errors import ModelError
from efficientad.pipeline.printable import make_printable, write_line

EXIT_REFUSED = 1


def add(commands: Commands) -> None:
    """Add the command."""
    verify = commands.add_parser(
        "verify",
        help="check models: whole, undamaged, of a known version; show what each is",
        description="Check each model by the checksum that it states, and its header; show what it is, its threshold "
        "and where that comes from. A checksum finds damage and files that were mixed up. That a model is the one "
        "that was released, tell by comparing its checksum with the one that was published.",
    )
    verify.add_argument("models", type=Path, nargs="+", help="models, or folders of models at any depth")
    verify.add_argument("--json", action="store_true", help="print one JSON object per model")
    verify.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check the models; 1 when one is refused, after the others were checked."""
    from efficientad.deploy.verify import describe_file, find_models

    refused = 0
    for path in find_models(options.models):
        try:
            about = describe_file(path)
        except ModelError as error:
            refused += 1
            print(f"ModelError: {write_line(error)}", file=sys.stderr, flush=True)
            if options.json:
                print(json.dumps({"model": str(path), "error": str(error)}))
            continue
        print(json.dumps(about) if options.json else _describe(about), flush=True)
    return EXIT_REFUSED if refused else 0


def _describe(about: dict[str, Any]) -> str:
    lines = [("checksum", f"{about['checksum']}, as stated")]
    if about["kind"] == "detector":
        height, width = about["image_size"]
        lines += [
            ("product", f"{about['category']}, size {about['size']}, {width} x {height} px, {about['precision']}"),
            ("version", f"{about['version']}, code {about['code_hash'][:16] or 'unknown'}"),
            ("trained on", about["training_data"][:16] or "unknown"),
            ("threshold", f"{about['threshold']:.6g}, at most {about['false_alarm_rate']:.4g} of good images above it, "
             f"{about['origin']}"),
        ]  # fmt: skip
    else:
        lines += [("weights", f"size {about['size']}, {about['precision']}; no detector: it has no threshold")]
    return "\n".join(map(make_printable, [about["model"], *(f"  {name:10} {value}" for name, value in lines)]))
