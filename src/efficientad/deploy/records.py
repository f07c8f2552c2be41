"""Results on disk: one record per image, as JSON line and as row of a table, and what a killed run is continued from.

Records are appended as images are judged, each flushed, so that a kill loses only the images that were being judged.
Beside them lies what the run depends on; the next start compares.
"""

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from efficientad.deploy.engines.engine import EngineOptions
from efficientad.deploy.format.files import list_files
from efficientad.deploy.sources import Stamp, find_real
from efficientad.errors import DataError
from efficientad.pipeline.printable import make_printable
from efficientad.pipeline.writing import write_text

JSON_LINES, TABLE, RUN = "predictions.jsonl", "predictions.csv", "predictions.run.json"
COLUMNS = ("image", "score", "display_score", "threshold", "verdict", "regions", "heat_map", "map", "error")
FORMAT = 2  # of the records; 1 had no stamps and no regions

# Of COLUMNS, those that an image has, and of its file what `Stamp` holds. "regions" lists those of `find_regions`, the
# table their number.
Record = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """What results depend on; results of different runs are never mixed."""

    images: str  # the folder that holds them all
    model: str  # sha256 of the model's files
    device: str
    precision: str  # of the arithmetic
    heat_maps: bool
    maps: str  # the folder of raw maps; empty where none are written
    format: int = FORMAT


def describe_run(root: Path, model: Path, options: EngineOptions, heat_maps: bool, maps: Path | None) -> Run:
    """Describe judging images below `root` with the file `model`; an IR's weights beside it count as well."""
    digest = hashlib.sha256()
    for path in list_files(model):
        if path.is_file():  # an absent one is the engine's to complain of
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    folder = str(find_real(maps)) if maps else ""
    return Run(str(find_real(root)), digest.hexdigest(), options.device, options.precision, heat_maps, folder)


def begin_results(output: Path, run: Run | None, restart: bool = False) -> dict[str, Stamp]:
    """Make the folder `output` ready for `append_records`; return the images that it has verdicts of.

    With each comes the stamp that its file had then: where it has another now, the image is to be judged again, and the
    record that is appended replaces the first. Results of the same run are continued: verdicts stay, also those of
    images that are no longer there; torn lines go, and so do errors, because reading again is cheap and the file may
    have been mended. None stands for a run that is never continued, of a single image: any later run may replace its
    results.

    Raises DataError when `output` holds results of another run, or of an earlier version: they may have taken hours and
    are only replaced when `restart` says so. Heat maps of replaced results stay until others take their places.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"expected a folder for results at {output}, got {error}; name another") from error
    previous = None if restart else _read_run(output / RUN)
    if previous is not None and (run is None or previous != asdict(run)):
        raise _refuse(output, previous, {"images": "a single one"} if run is None else asdict(run))
    if previous is None:
        for name in (RUN, JSON_LINES, TABLE):  # in this order: no kill leaves results with a run not theirs
            (output / name).unlink(missing_ok=True)
        if run is not None:
            write_text(output / RUN, json.dumps(asdict(run), indent=2) + "\n")
    return tidy_results(output, keep_errors=False)


def tidy_results(output: Path, keep_errors: bool = True) -> dict[str, Stamp]:
    """Bring the JSON lines into the order of the images' names, the table along; return the names, with the stamps.

    Lines that are torn or no records are left out.
    """
    source = output / JSON_LINES
    places = _index_lines(source, keep_errors) if source.is_file() else {}
    stamps: dict[str, Stamp] = {}
    parts = [(output / name, output / f"{name}.part") for name in (JSON_LINES, TABLE)]
    with _open(parts[0][1], "w") as lines, _open(parts[1][1], "w") as table:
        table.write(",".join(COLUMNS) + "\n")
        if places:
            with source.open("rb") as old:
                for name in sorted(places):
                    old.seek(places[name])
                    record = json.loads(old.readline())
                    _write(record, lines, table)
                    stamps[name] = Stamp(record.get("bytes", -1), record.get("modified", -1.0))
        for file in (lines, table):
            file.flush()
            os.fsync(file.fileno())
    for path, part in parts:
        part.replace(path)
    return stamps


@contextmanager
def append_records(output: Path) -> Iterator[Callable[[Record], None]]:
    """Hand out a function that appends a record to both files and flushes them, after `begin_results`."""
    with _open(output / JSON_LINES, "a") as lines, _open(output / TABLE, "a") as table:

        def append(record: Record) -> None:
            _write(record, lines, table)
            lines.flush()
            table.flush()

        yield append


def _index_lines(path: Path, keep_errors: bool) -> dict[str, int]:
    """Return where each image's line begins, in bytes; of several lines of an image the last one counts."""
    places: dict[str, int] = {}
    place = 0
    with path.open("rb") as lines:
        for line in lines:
            record = _parse(line)
            if record is not None:
                places.pop(record["image"], None)
                if keep_errors or "error" not in record:
                    places[record["image"]] = place
            place += len(line)
    return places


def _parse(line: bytes) -> Record | None:
    try:
        record = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    if not isinstance(record, dict) or not isinstance(record.get("image"), str):
        return None
    return record if "verdict" in record or "error" in record else None


def _write(record: Record, lines: TextIO, table: TextIO) -> None:
    lines.write(_write_json(record) + "\n")
    row = record | ({"regions": len(record["regions"])} if "regions" in record else {})
    row = {key: make_printable(value) if isinstance(value, str) else value for key, value in row.items()}
    csv.DictWriter(table, COLUMNS, extrasaction="ignore", lineterminator="\n").writerow(row)


def _write_json(record: Record) -> str:
    r"""Return one line of JSON in UTF-8; what no terminal should be shown is escaped, and read back as it was.

    >>> print(_write_json({"image": "Ö\x9b\udcff\n.png"}))
    {"image": "Ö\u009b\udcff\n.png"}
    """
    text = json.dumps(record, ensure_ascii=False)
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def _refuse(output: Path, previous: dict[str, Any], wanted: dict[str, Any]) -> DataError:
    if previous and "format" not in previous:
        got = "those of an earlier version of efficientad, which did not note when an image's file was written"
    else:
        different = ", ".join(name for name, value in wanted.items() if previous.get(name) != value)
        got = f"those of another (it differs in: {different})"
    return DataError(
        f"expected results of this run in {output}, got {got}; name another --output, or replace them with --restart"
    )


def _open(path: Path, mode: str) -> TextIO:
    return path.open(mode, encoding="utf-8", newline="\n")  # type: ignore[return-value]


def _read_run(path: Path) -> dict[str, Any] | None:
    """Return what is written there; None where there is no file, {} where it is unreadable."""
    try:
        run = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return run if isinstance(run, dict) else {}
