"""Downloads against a server on this machine that cuts, resumes, ignores ranges or sends other bytes."""

import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from local_server import PAYLOAD, Server

from efficientad.data.files import download as module
from efficientad.data.files.download import compute_blob_id, download, download_mvtec, extract_archive
from efficientad.data.files.images import encode_png
from efficientad.data.pretraining import imagenette
from efficientad.errors import DataError, DownloadError

SHA256 = hashlib.sha256(PAYLOAD).hexdigest()


def test_a_file_arrives_whole_and_reports_progress(server: Server, tmp_path: Path):
    seen = []
    path = download(server.url, tmp_path / "new/a.bin", sha256=SHA256, progress=lambda *step: seen.append(step))
    assert path.read_bytes() == PAYLOAD
    assert seen[-1] == (100_000, 100_000)
    assert [file.name for file in path.parent.iterdir()] == ["a.bin"]


def test_a_cut_is_resumed_where_it_happened(server: Server, tmp_path: Path):
    server.cuts = 2
    download(server.url, tmp_path / "a.bin", sha256=SHA256)
    assert server.requests == [None, "bytes=50000-", "bytes=75000-"]
    assert (tmp_path / "a.bin").read_bytes() == PAYLOAD


def test_a_later_call_resumes_an_earlier_one(server: Server, tmp_path: Path):
    server.cuts = 1
    with pytest.raises(DownloadError, match=r"try again, it resumes.*Offline.*a\.bin"):
        download(server.url, tmp_path / "a.bin", sha256=SHA256, attempts=1)
    assert not (tmp_path / "a.bin").exists()
    assert (tmp_path / "a.bin.part").stat().st_size == 50_000
    download(server.url, tmp_path / "a.bin", sha256=SHA256, attempts=1)
    assert server.requests[-1] == "bytes=50000-"
    assert (tmp_path / "a.bin").read_bytes() == PAYLOAD


def test_a_server_that_ignores_ranges_starts_again(server: Server, tmp_path: Path):
    server.cuts, server.ranges = 1, False
    download(server.url, tmp_path / "a.bin", sha256=SHA256)
    assert (tmp_path / "a.bin").read_bytes() == PAYLOAD


def test_a_whole_part_needs_no_more_bytes(server: Server, tmp_path: Path):
    (tmp_path / "a.bin.part").write_bytes(PAYLOAD)
    download(server.url, tmp_path / "a.bin", sha256=SHA256)
    assert (tmp_path / "a.bin").read_bytes() == PAYLOAD


def test_other_bytes_than_promised_are_deleted(server: Server, tmp_path: Path):
    with pytest.raises(DownloadError, match="expected checksum 0000"):
        download(server.url, tmp_path / "a.bin", md5="0" * 32)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "blob_id"),  # as `git hash-object` gives them
    [(b"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"), (b"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a")],
)
def test_a_blob_id_is_gits(tmp_path: Path, content: bytes, blob_id: str):
    (tmp_path / "a").write_bytes(content)
    assert compute_blob_id(tmp_path / "a") == blob_id


def test_a_blob_id_is_checked(server: Server, tmp_path: Path):
    server.payload = b"hello\n"
    with pytest.raises(DownloadError, match="expected checksum e69de29b"):
        download(server.url, tmp_path / "a.bin", blob_id="e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
    assert list(tmp_path.iterdir()) == []
    for _ in range(2):
        download(server.url, tmp_path / "a.bin", blob_id="ce013625030ba8dba906f756967f9e9ca394464a")
    assert len(server.requests) == 2


def test_a_good_file_is_not_fetched_again_but_a_bad_one_is(server: Server, tmp_path: Path):
    path = tmp_path / "a.bin"
    path.write_bytes(PAYLOAD)
    download(server.url, path, sha256=SHA256.upper())
    assert server.requests == []
    path.write_bytes(b"something else")
    download(server.url, path, sha256=SHA256)
    assert path.read_bytes() == PAYLOAD


def test_absent_files_and_servers_are_download_errors(server: Server, tmp_path: Path):
    with pytest.raises(DownloadError, match="404"):
        download(server.url.replace("archive.bin", "missing"), tmp_path / "a.bin", attempts=1)
    with pytest.raises(DownloadError, match="Offline"):
        download("http://127.0.0.1:9/a", tmp_path / "a.bin", attempts=2)


def _pack(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_archives_are_unpacked(tmp_path: Path):
    (tmp_path / "a.tgz").write_bytes(_pack(**{"x/y.txt": b"hello"}))
    assert (extract_archive(tmp_path / "a.tgz", tmp_path / "out") / "x/y.txt").read_bytes() == b"hello"


def test_an_archive_must_not_write_outside_its_folder(tmp_path: Path):
    (tmp_path / "a.tgz").write_bytes(_pack(**{"../evil.txt": b"x"}))
    with pytest.raises(DownloadError, match="cannot unpack"):
        extract_archive(tmp_path / "a.tgz", tmp_path / "out")
    assert not (tmp_path / "evil.txt").exists()


def test_a_damaged_archive_is_refused(tmp_path: Path):
    (tmp_path / "a.tgz").write_bytes(_pack(x=PAYLOAD)[:-5000])
    with pytest.raises(DownloadError, match="cannot unpack"):
        extract_archive(tmp_path / "a.tgz", tmp_path / "out")


def test_mvtec_is_fetched_checked_and_unpacked(server: Server, tmp_path: Path, monkeypatch):
    server.payload = _pack(**{"screw/license.txt": b"CC BY-NC-SA 4.0"})
    monkeypatch.setattr(module, "MVTEC_URL", server.url)
    with pytest.raises(DownloadError, match="checksum"):
        download_mvtec(tmp_path)
    monkeypatch.setattr(module, "MVTEC_SHA256", hashlib.sha256(server.payload).hexdigest())
    assert (download_mvtec(tmp_path) / "screw/license.txt").is_file()


def test_imagenette_is_fetched_once(server: Server, tmp_path: Path, monkeypatch):
    image = encode_png(np.zeros((4, 4, 3), np.uint8))
    server.payload = _pack(**{f"imagenette2-160/train/n01/{n}.png": image for n in range(3)})
    md5 = hashlib.md5(server.payload).hexdigest()
    monkeypatch.setattr(imagenette, "_URL", server.url.replace("archive.bin", ""))
    monkeypatch.setitem(imagenette.ARCHIVES, "160", ("imagenette2-160", md5))
    for _ in range(2):
        imagenette.download_imagenette(tmp_path, resolution="160")
    assert len(server.requests) == 1
    source = imagenette.open_imagenette(tmp_path, count=2, seed=0, resolution="160")
    assert len(source) == 2
    assert source.load(0).shape == (4, 4, 3)


def test_a_stage_does_not_fetch_imagenette_but_says_how(tmp_path: Path):
    with pytest.raises(DataError, match=f"efficientad download imagenette --output {tmp_path}"):
        imagenette.open_imagenette(tmp_path, count=2, seed=0)
