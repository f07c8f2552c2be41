"""`efficientad download`: data sets and published teachers, before any training."""

import argparse
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from efficientad.commands.arguments import Commands
from efficientad.data.download.catalogue import DATASETS, Dataset

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from efficientad.data.download.checksums import Phase, Progress

_NETWORK = (
    "A download that broke off continues where it stopped. A proxy is taken from https_proxy, http_proxy and no_proxy "
    "in the environment, a file of certificates from SSL_CERT_FILE."
)


def add(commands: Commands) -> None:
    """Add the command."""
    download = commands.add_parser("download", help="fetch a data set or a published teacher, before any training")
    download.set_defaults(after_interrupt="; the same command continues from here")
    contents = download.add_subparsers(required=True, metavar="WHAT", dest="content")
    for dataset in DATASETS.values():
        _add_dataset(contents, dataset)
    teacher = contents.add_parser(
        "teacher", help="teacher.path; 11 MB (S), 32 MB (M), 43 MB (anomalib)", epilog=_NETWORK
    )
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
    teacher.set_defaults(run=download_teacher)


def _add_dataset(contents: Any, dataset: Dataset) -> None:
    root = "pretraining.root" if dataset.name == "imagenette" else "data.root"
    size = f"{dataset.packed / 1e9:.1f} GB" if dataset.packed > 1e9 else f"{dataset.packed / 1e6:.0f} MB"
    about = f"{dataset.title}, {size}; licence: {dataset.licence}"
    parser = contents.add_parser(dataset.name, help=about, description=f"{about}. {dataset.page}", epilog=_NETWORK)
    parser.add_argument("--output", type=Path, required=True, help=f"folder, {root}")
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--mirror", metavar="URL", type=_parse_address,
        help=f"address (http, https or file) of another folder that holds {dataset.file}, or of the archive itself",
    )  # fmt: skip
    place.add_argument("--archive", type=Path, metavar="FILE", help=f"{dataset.file}, fetched already; it is kept")
    parser.add_argument(
        "--sha256", type=_parse_sha256, metavar="HEX", help="of the archive, in place of the published checksum"
    )
    parser.add_argument("--keep-archive", action="store_true", help="do not delete the archive once it is unpacked")
    parser.set_defaults(run=download_dataset)


def download_dataset(options: argparse.Namespace) -> int:
    """Fetch and unpack a data set, print its folder; on stderr its licence, and the checksum that came."""
    from efficientad.data.download.install import install_dataset
    from efficientad.data.download.source import Choice

    dataset = DATASETS[options.content]
    print(f"{dataset.title}: {dataset.page}", file=sys.stderr)
    print(f"Licence: {dataset.licence}. To cite: {dataset.citation}.", file=sys.stderr)
    choice = Choice(options.mirror, options.archive, options.sha256, options.keep_archive)
    with _show_bars() as bars:
        record = install_dataset(dataset, options.output, choice, _begin_phases(bars), _wait)
    print(f"{record.files} files of an archive with sha256 {record.sha256}", file=sys.stderr)
    print(options.output)
    return 0


def download_teacher(options: argparse.Namespace) -> int:
    """Fetch a published teacher, convert it, print its file."""
    from efficientad.teacher.origins import FILES, describe_published, fetch_published
    from efficientad.teacher.published import convert_published

    file = FILES[options.origin, options.size]
    with _show_bars() as bars:
        source = fetch_published(file, options.output, options.mirror, _begin_phases(bars), _wait)
    header = describe_published(options.size, file)
    print(convert_published(source, file.member, options.output / f"{options.size}.safetensors", header))
    return 0


def _parse_address(text: str) -> str:
    if urlsplit(text).scheme not in ("http", "https", "file"):
        raise argparse.ArgumentTypeError(f"expected an address such as https://server/folder, got {text}")
    return text


def _parse_sha256(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError(f"expected 64 hexadecimal digits, as sha256sum prints them, got {text}")
    return text.lower()


def _wait(seconds: float, reason: str) -> None:
    print(f"{reason}; another try in {seconds:.0f} s", file=sys.stderr)
    time.sleep(seconds)


@contextmanager
def _show_bars() -> Iterator["Bars"]:
    """Show a bar for each phase on stderr; a log gets the finished ones."""
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"), progress.BarColumn(), progress.DownloadColumn(),
        progress.TransferSpeedColumn(), progress.TimeRemainingColumn(),
    )  # fmt: skip
    bars = progress.Progress(*columns, console=Console(stderr=True), redirect_stdout=False)
    try:
        yield bars
    finally:
        if bars.tasks:
            bars.stop()


def _begin_phases(bars: "Bars") -> "Phase":
    def begin(label: str) -> "Progress":
        bars.start()
        task = bars.add_task(label, total=None)

        def advance(done: int, total: int | None) -> None:
            bars.update(task, completed=done, total=total)

        return advance

    return begin
