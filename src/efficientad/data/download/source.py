"""Where a data set's archive comes from: the publisher, a mirror, or a file at hand."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from efficientad.data.download.catalogue import Dataset
from efficientad.data.download.checksums import Checksum, Phase, compute_checksum
from efficientad.data.download.fetch import Pause, fetch_file
from efficientad.errors import DownloadError

_SUFFIXES = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True)
class Choice:
    """Where the archive comes from.

    `mirror`: address of a folder that holds it, or of the archive itself. `archive`: a file at hand. `sha256`: of the
    archive, in place of the published checksum. `keep`: do not delete what was fetched.
    """

    mirror: str | None = None
    archive: Path | None = None
    sha256: str | None = None
    keep: bool = False

    def find_local(self, file: str) -> Path | None:
        """Return the archive at hand: `archive`, or `file` at a mirror whose address begins with file://."""
        if self.archive is not None or self.mirror is None or urlsplit(self.mirror).scheme != "file":
            return self.archive
        path = Path(url2pathname(urlsplit(self.mirror).path))
        return path / file if path.is_dir() else path


@dataclass(frozen=True)
class Archive:
    """A file that has the checksum which was asked for, where it came from, and whether it may be deleted."""

    path: Path
    source: str
    sha256: str
    is_fetched: bool


def get_archive(dataset: Dataset, output: Path, choice: Choice, phase: Phase, pause: Pause) -> Archive:
    """Return the archive, fetched if need be.

    Raises DownloadError where the disk is too small, no archive can be had, or it has another checksum.
    """
    checksum = Checksum("sha256", choice.sha256) if choice.sha256 else dataset.checksum
    local = choice.find_local(dataset.file)
    _check_disk(dataset, output, local)
    if local is not None:
        return Archive(local, str(local), _check_archive(local, checksum, phase), is_fetched=False)
    path, address = output / dataset.file, _choose_address(dataset, choice.mirror)
    limit = None if choice.sha256 else dataset.packed * 3 // 2
    try:
        fetch_file(address, path, checksum, limit=limit, phase=phase, pause=pause)
    except DownloadError as error:
        raise DownloadError(f"{error}. {describe_manual_steps(dataset, output, checksum)}") from error
    is_known = checksum is not None and checksum.kind == "sha256"
    sha256 = checksum.value.lower() if checksum and is_known else compute_checksum(path, "sha256", phase("check"))
    return Archive(path, address, sha256, is_fetched=True)


def describe_manual_steps(dataset: Dataset, output: Path, checksum: Checksum | None) -> str:
    """Return what to do where this machine has no network, or the address has moved."""
    check = f"check that it has {checksum}, " if checksum else ""
    return (
        f"Without a network: fetch {dataset.address} on another machine (should it be gone, {dataset.page} names "
        f"today's, which --mirror takes, too), {check}bring it here and run: "
        f"efficientad download {dataset.name} --output {output} --archive {dataset.file}"
    )


def _choose_address(dataset: Dataset, mirror: str | None) -> str:
    if mirror is None:
        return dataset.address
    return mirror if urlsplit(mirror).path.endswith(_SUFFIXES) else f"{mirror.rstrip('/')}/{dataset.file}"


def _check_archive(archive: Path, checksum: Checksum | None, phase: Phase) -> str:
    """Return the SHA-256 of a file at hand; DownloadError where it has another checksum than expected."""
    if not archive.is_file():
        raise DownloadError(f"expected an archive at {archive}, found none; correct the path")
    sha256 = compute_checksum(archive, "sha256", phase("check"))
    if checksum is None:
        return sha256
    came = sha256 if checksum.kind == "sha256" else compute_checksum(archive, checksum.kind)
    if came != checksum.value.lower():
        raise DownloadError(
            f"expected {checksum} for {archive}, it has {came}; fetch it again, or give --sha256 if this one is meant"
        )
    return sha256


def _check_disk(dataset: Dataset, output: Path, local: Path | None) -> None:
    """Raise DownloadError where the archive and what it unpacks to do not fit on the disk."""
    there = sum(file.stat().st_size for file in output.glob(f"{dataset.file}*") if file.is_file())
    needed = dataset.unpacked + (0 if local is not None else max(0, dataset.packed - there))
    free = shutil.disk_usage(output).free
    if free < needed:
        raise DownloadError(
            f"expected {needed / 1e9:.1f} GB free for {dataset.name} in {output}, found {free / 1e9:.1f} GB; "
            "make room, or name a folder on another disk"
        )
