"""The command line: `efficientad` with `check`, `predict`, `threshold`, `verify`, `serve`, `benchmark` and others."""

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import NoReturn

from efficientad import __version__
from efficientad.commands import benchmark, check, download, predict, probe, serve, threshold, verify
from efficientad.commands.interrupts import Terminated
from efficientad.errors import EfficientADError
from efficientad.pipeline.printable import make_printable, write_line
from efficientad.pipeline.silence import silence_libraries

EXIT_ERROR, EXIT_INTERRUPTED, EXIT_TERMINATED = 1, 130, 143
COMMANDS = (check, predict, threshold, verify, serve, benchmark, probe, download)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns 0 on success; 1 with a line on stderr for an error that the user can put right; 3 when images were
    skipped because they could not be read, or when `check` found a problem; 130 after Ctrl-C, 143 after SIGTERM.
    argparse exits with 2 on wrong usage.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file name that the terminal cannot show must not stop a run
            stream.reconfigure(errors="backslashreplace")
    options = build_parser().parse_args(arguments)
    try:
        with silence_libraries():
            return int(options.run(options))
    except BrokenPipeError:  # the reader of a pipe, such as `head`, closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except (EfficientADError, OSError) as error:
        print(f"{type(error).__name__}: {write_line(error)}", file=sys.stderr)
        return EXIT_ERROR
    except MemoryError as error:
        print(f"MemoryError: {write_line(error)}; close other programs or take smaller images", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt as interrupt:
        print(f"interrupted{options.after_interrupt}", file=sys.stderr)
        return EXIT_TERMINATED if isinstance(interrupt, Terminated) else EXIT_INTERRUPTED


class Parser(argparse.ArgumentParser):
    """Escapes what it repeats of the command line."""

    def error(self, message: str) -> NoReturn:
        """Print usage and message, exit with 2."""
        super().error(make_printable(message))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; a command imports its modules only when it runs."""
    parser = Parser(prog="efficientad", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    parser.set_defaults(after_interrupt="")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
