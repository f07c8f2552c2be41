"""`efficientad download`: data sets and published teachers, before any training."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from efficientad.commands.arguments import Commands

if TYPE_CHECKING:
    from efficientad.data.files.download import Progress


def add(commands: Commands) -> None:
    """Add the command."""
    download = commands.add_parser("download", help="fetch a data set or a published teacher, before any training")
    contents = download.add_subparsers(required=True, metavar="WHAT", dest="content")
    for name, root in (("imagenette", "pretraining.root; 1.5 GB"), ("mvtec", "data.root; 4.9 GB")):
        dataset = contents.add_parser(name, help=root)
        dataset.add_argument("--output", type=Path, required=True, help=f"folder, {root}")
        dataset.set_defaults(run=download_data)
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
    teacher.set_defaults(run=download_teacher)


def download_data(options: argparse.Namespace) -> int:
    """Fetch a data set, print its folder."""
    from efficientad.data.files.download import download_mvtec
    from efficientad.data.pretraining.imagenette import download_imagenette

    download = download_mvtec if options.content == "mvtec" else download_imagenette
    with _show_progress(options.content) as advance:
        folder = download(options.output, progress=advance)
    print(folder)
    return 0


def download_teacher(options: argparse.Namespace) -> int:
    """Fetch a published teacher, convert it, print its file."""
    from efficientad.teacher.origins import FILES, describe_published, fetch_published
    from efficientad.teacher.published import convert_published

    file = FILES[options.origin, options.size]
    with _show_progress(f"teacher {options.size}") as advance:
        source = fetch_published(file, options.output, options.mirror, progress=advance)
    header = describe_published(options.size, file)
    print(convert_published(source, file.member, options.output / f"{options.size}.safetensors", header))
    return 0


def _parse_address(text: str) -> str:
    if "://" not in text:
        raise argparse.ArgumentTypeError(f"expected an address such as https://server/folder, got {text}")
    return text


@contextmanager
def _show_progress(title: str) -> Iterator["Progress"]:
    from rich.progress import Progress as Bar

    with Bar() as bar:
        task = bar.add_task(title, total=None)

        def advance(received: int, total: int | None) -> None:
            bar.update(task, completed=received, total=total)

        yield advance
