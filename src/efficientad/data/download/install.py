"""Bring a data set into a folder: all of it or nothing, wherever the process is killed.

The archive is unpacked into `.<name>.unpacking` beside the place where its folders belong. When it is whole, checked
and on the disk, that folder is renamed to `.<name>.unpacked`, and its folders move to their places one by one.
`.<name>.json` comes last, and says that the set is complete.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from efficientad.data.download.archive import unpack_tar
from efficientad.data.download.catalogue import Dataset
from efficientad.data.download.checksums import Phase, compute_tree_id
from efficientad.data.download.fetch import Pause, hold_folder, wait
from efficientad.data.download.source import Archive, Choice, get_archive
from efficientad.data.download.transfer import forget
from efficientad.errors import DownloadError

_RECORD = ".record.json"


@dataclass(frozen=True)
class Record:
    """What was unpacked: from where, the archive's SHA-256, the number of files in the set's folders."""

    dataset: str
    source: str
    sha256: str
    files: int


def install_dataset(
    dataset: Dataset, output: Path, choice: Choice, phase: Phase = lambda _: None, pause: Pause = wait
) -> Record:
    """Fetch, check and unpack a data set into `output` and return its record; a complete one is left as it is.

    Raises DownloadError for whatever stops it, with what to do; a later call continues. Folders that are there already
    are never replaced.
    """
    unpacked = output / f".{dataset.name}.unpacked"
    with hold_folder(output):
        if not unpacked.is_dir():
            record = _read_record(output / f".{dataset.name}.json")
            if record is not None and _is_complete(dataset, output, record):
                return record
            _refuse_existing(dataset, output)
            archive = get_archive(dataset, output, choice, phase, pause)
            _unpack(dataset, output, archive, phase, check_tree=choice.sha256 is None).rename(unpacked)
        return _place(dataset, output, unpacked, choice)


def _is_complete(dataset: Dataset, output: Path, record: Record) -> bool:
    """Return whether the set is there, False where all of its folders are gone; DownloadError where some are."""
    existing = _list_existing(dataset, output)
    found = _count_files(dataset, output)
    if existing and found < record.files:
        raise DownloadError(
            f"expected the {record.files} files of {dataset.name} in {output}, found {found}; "
            f"move {', '.join(existing)} away and run the command again"
        )
    return bool(existing)


def _refuse_existing(dataset: Dataset, output: Path) -> None:
    if existing := _list_existing(dataset, output):
        raise DownloadError(
            f"expected none of {dataset.name}'s folders in {output}, found {', '.join(existing)}, which this command "
            "did not put there; nothing was touched. Use them as they are, move them away, or name another --output"
        )


def _unpack(dataset: Dataset, output: Path, archive: Archive, phase: Phase, check_tree: bool) -> Path:
    """Unpack the archive, check what it held, wait until it is on the disk, and return its folder."""
    folder = output / f".{dataset.name}.unpacking"
    shutil.rmtree(folder, ignore_errors=True)
    limit = dataset.unpacked * 3 // 2
    try:
        unpack_tar(archive.path, folder / dataset.below, limit=limit, strip=dataset.strip, progress=phase("unpack"))
        _check_content(dataset, folder, archive.path, check_tree)
        record = Record(dataset.name, archive.source, archive.sha256, _count_files(dataset, folder))
        (folder / _RECORD).write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DownloadError(f"cannot unpack {archive.path} in {output}: {error}; mend that and try again") from error
    except DownloadError:
        shutil.rmtree(folder)
        if archive.is_fetched:
            archive.path.unlink()
        raise
    if hasattr(os, "sync"):
        os.sync()
    return folder


def _check_content(dataset: Dataset, folder: Path, archive: Path, check_tree: bool) -> None:
    missing = [name for name in dataset.folders if not (folder / name).is_dir()]
    if missing:
        raise DownloadError(
            f"expected the folders of {dataset.name} in {archive}, it lacks {', '.join(missing)}; "
            "give the archive as it was published"
        )
    if check_tree and dataset.tree_id is not None:
        came = compute_tree_id(folder / dataset.below)
        if came != dataset.tree_id:
            raise DownloadError(
                f"expected files with the git tree {dataset.tree_id} in {archive}, they have {came}: the files were "
                f"changed; fetch it from {dataset.page}, or give --sha256 if this one is meant"
            )


def _place(dataset: Dataset, output: Path, unpacked: Path, choice: Choice) -> Record:
    """Move what was unpacked to its place, then delete the archive that was fetched.

    Loose files, such as a licence, get the set's name before their own.
    """
    for path in sorted(unpacked.iterdir()):
        if path.name == _RECORD:
            continue
        if path.is_file():
            path.replace(output / f"{dataset.name}_{path.name}")
        elif (output / path.name).exists():
            raise DownloadError(f"expected no {output / path.name}, found one; move it away and run the command again")
        else:
            path.rename(output / path.name)
    marker = output / f".{dataset.name}.json"
    if (unpacked / _RECORD).is_file():
        (unpacked / _RECORD).replace(marker)
    forget(output / f"{dataset.file}.part")
    if not choice.keep and choice.find_local(dataset.file) is None:
        (output / dataset.file).unlink(missing_ok=True)
    unpacked.rmdir()
    record = _read_record(marker)
    assert record is not None  # it was written before the folder got its name
    return record


def _list_existing(dataset: Dataset, folder: Path) -> list[str]:
    """Return which of the set's folders lie in a folder."""
    return [name for name in sorted({name.split("/")[0] for name in dataset.folders}) if (folder / name).exists()]


def _count_files(dataset: Dataset, folder: Path) -> int:
    return sum(len(files) for name in _list_existing(dataset, folder) for _, _, files in os.walk(folder / name))


def _read_record(marker: Path) -> Record | None:
    try:
        return Record(**json.loads(marker.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
