"""`efficientad check`: what is wrong with a folder of images, before any training."""

import argparse
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from efficientad.commands.arguments import Commands, add_limits, read_limits
from efficientad.errors import DataError
from efficientad.pipeline.printable import make_printable

if TYPE_CHECKING:
    from efficientad.data.checking.check import Check

EXIT_PROBLEM = 3
SHEET, REPORT, PARTS = "contact_sheet.png", "report.json", "parts.csv"


def add(commands: Commands) -> None:
    """Add the command."""
    check = commands.add_parser(
        "check",
        help="report on a folder of images before any training: counts, copies, exposures, masks, what to set",
        description="Report on a folder of one product's images before any training. "
        "It takes about a minute for 1,000 images of a megapixel, and changes nothing in the folder.",
        epilog=f"exit code: 0 without problems (there may be warnings), {EXIT_PROBLEM} with a problem, at which the "
        "pipeline would stop or which makes images contradict each other, 1 where there is nothing to check",
    )
    check.add_argument(
        "folder", type=Path, help="good/, kinds of defects, masks/; MVTec AD's layout; or good images alone"
    )
    check.add_argument("--json", action="store_true", help="print one JSON object with all names")
    check.add_argument(
        "--output", type=Path,
        help=f"folder for {SHEET}, {REPORT} and, where a part has several images, {PARTS} for data.group "
        "(default: nothing is written)",
    )  # fmt: skip
    check.add_argument(
        "--false-alarm-rate", type=_parse_rate, default=0.05, help="that is wanted (default: %(default)s)"
    )
    add_limits(check, "is a problem, found")
    check.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check the folder, print the report; 3 when there is a problem."""
    from efficientad.calibration.threshold.count import count_needed
    from efficientad.data.checking.check import check_folder
    from efficientad.data.checking.describing import describe_check, format_check

    folder = options.folder.expanduser()
    output = None if options.output is None else _check_output(options.output.expanduser(), folder)
    asked = options.false_alarm_rate
    with redirect_stdout(sys.stderr):  # progress
        check = check_folder(folder, {asked: count_needed(asked)}, asked, read_limits(options))
    print(json.dumps(describe_check(check)) if options.json else format_check(check))
    if output is not None:
        _write(check, output)
        if not options.json:
            print(make_printable(f"written: {output / SHEET}, {output / REPORT}"))
    return EXIT_PROBLEM if check.has_problem else 0


def _write(check: "Check", output: Path) -> None:
    from efficientad.data.checking.copies import format_parts
    from efficientad.data.checking.describing import describe_check, needs_groups
    from efficientad.pipeline.writing import write_text
    from efficientad.reporting.folder_sheet import write_folder_sheet

    write_text(output / REPORT, json.dumps(describe_check(check), indent=1) + "\n")
    (output / PARTS).unlink(missing_ok=True)
    if needs_groups(check):
        text = format_parts(check.measured, check.copies)
        write_text(output / PARTS, text)
    write_folder_sheet(output / SHEET, check)


def _check_output(output: Path, folder: Path) -> Path:
    """Refuse a folder below the images, where its pictures would count as a kind of defect."""
    if output.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"expected an --output outside of the images' {folder}, got {output}; name another folder")
    return output


def _parse_rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.0001 <= rate <= 0.5:
        raise argparse.ArgumentTypeError(f"expected a rate from 0.0001 to 0.5, got {text}")
    return rate
