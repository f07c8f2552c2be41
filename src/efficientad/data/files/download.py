"""Fetch archives: resumed after a cut, checked, and in place only when whole. Standard library only."""

import hashlib
import http.client
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from efficientad.errors import DownloadError

Progress = Callable[[int, int | None], None]
CHUNK_BYTES = 1 << 20
TIMEOUT_S = 60.0
MVTEC_URL = (
    "https://www.mydrive.ch/shares/38536/3830184030e49fe74747669442f0f282/download/"
    "420938113-1629952094/mvtec_anomaly_detection.tar.xz"
)
MVTEC_SHA256 = "cf4313b13603bec67abb49ca959488f7eedce2a9f7795ec54446c649ac98cd3d"


def download(
    url: str,
    path: Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    blob_id: str | None = None,
    progress: Progress | None = None,
    attempts: int = 3,
) -> Path:
    """Fetch `url` into the file `path` and return it; a file with the right checksum is kept as it is.

    The bytes are gathered in `<path>.part`, which a later call resumes (HTTP Range, RFC 9110 section 14);
    a server that ignores ranges makes it start again. `progress(received, total or None)` is called after
    each chunk. `blob_id` is the name of the content in a git repository (`compute_blob_id`). Without a checksum
    an existing file is kept unchecked.

    Raises DownloadError when the server cannot be reached or cuts the transfer in each of `attempts` tries,
    and when the checksum is not as expected (the part is then deleted).
    """
    checksums = {"sha256": sha256, "md5": md5, "blob_id": blob_id}
    if path.is_file() and _matches(path, checksums):
        return path
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, attempts + 1):
        try:
            _fetch(url, part, progress)
            break
        except (OSError, http.client.HTTPException) as error:
            if attempt == attempts:
                raise DownloadError(_explain(url, path, error)) from error
    if not _matches(part, checksums):
        part.unlink()
        raise DownloadError(
            f"expected checksum {sha256 or md5 or blob_id} for {url}, what came has another and was deleted; "
            "try again, or the file was changed at its source"
        )
    part.replace(path)
    return path


def extract_archive(archive: Path, folder: Path) -> Path:
    """Unpack a tar archive (plain, gz, xz) into `folder` and return the folder.

    Members that would lie outside the folder, or are devices, are refused (PEP 706, filter "data").
    Raises DownloadError for a damaged or unsafe archive.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DownloadError(f"cannot unpack {archive}: {error}; delete it and download it again") from error
    return folder


def download_mvtec(root: Path, progress: Progress | None = None) -> Path:
    """Fetch and unpack MVTec AD, all 15 categories (4.9 GiB packed), into `root`, and return `root`.

    Licence: CC BY-NC-SA 4.0, so no commercial use; cite Bergmann et al., CVPR 2019.
    Raises DownloadError as `download` and `extract_archive` do.
    """
    archive = download(MVTEC_URL, root / "mvtec_anomaly_detection.tar.xz", sha256=MVTEC_SHA256, progress=progress)
    return extract_archive(archive, root)


def _fetch(url: str, part: Path, progress: Progress | None) -> None:
    """Append what is missing to `part`; raises OSError or HTTPException when the transfer is cut."""
    start = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is missing; the checksum decides
        raise
    with response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        received = start if resumed else 0
        length = response.headers.get("Content-Length")
        total = None if length is None else received + int(length)
        with part.open("ab" if resumed else "wb") as file:
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                received += len(chunk)
                if progress is not None:
                    progress(received, total)
    if total is not None and received < total:
        raise http.client.IncompleteRead(b"", total - received)


def compute_blob_id(path: Path) -> str:
    """Return git's id of a file's content, as `git hash-object` does: SHA-1 of "blob", the size and the bytes."""
    prefix = f"blob {path.stat().st_size}\0".encode()
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(prefix)).hexdigest()


def _matches(path: Path, checksums: Mapping[str, str | None]) -> bool:
    return all(value is None or _compute_checksum(path, name) == value.lower() for name, value in checksums.items())


def _compute_checksum(path: Path, name: str) -> str:
    if name == "blob_id":
        return compute_blob_id(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, name).hexdigest()


def _explain(url: str, path: Path, error: Exception) -> str:
    return (
        f"expected {url}, the transfer failed: {error!r}; try again, it resumes. "
        f"Offline: fetch the file on another machine and put it at {path}"
    )
