"""Fetching one file from a server that breaks off, hangs, lies, moves, refuses, or changes its mind."""

import hashlib
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

import pytest
from fake_clock import FakeClock
from local_server import PAYLOAD

from efficientad.data.download import transfer
from efficientad.data.download.checksums import Checksum
from efficientad.data.download.fetch import fetch_file, hold_folder
from efficientad.errors import DownloadError

SHA256 = Checksum("sha256", hashlib.sha256(PAYLOAD).hexdigest())
LIES = ["another start", "no range", "another total", "another length", "another version", "other bytes"]


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def fetch(server, tmp_path, clock):
    """`fetch_file` of the server's file, which pauses by moving a clock."""
    return partial(fetch_file, server.url, tmp_path / "a.bin", pause=lambda seconds, _: clock.advance(seconds))


def list_files(folder):
    return sorted(file.name for file in folder.iterdir())


def test_a_file_arrives_whole_and_reports_progress(server, tmp_path):
    seen = {}
    path = fetch_file(
        server.url, tmp_path / "new/a.bin", SHA256, phase=lambda label: lambda *step: seen.update({label: step})
    )
    assert path.read_bytes() == PAYLOAD
    assert seen == {"download": (100_000, 100_000), "check": (100_000, 100_000)}
    assert list_files(path.parent) == ["a.bin"]


def test_a_file_with_its_checksum_is_kept_and_another_is_replaced(server, tmp_path, fetch):
    (tmp_path / "a.bin").write_bytes(PAYLOAD)
    fetch(SHA256)
    assert server.requests == []
    (tmp_path / "a.bin").write_bytes(b"something else")
    assert fetch(SHA256).read_bytes() == PAYLOAD


def test_a_break_is_continued_where_it_happened(server, tmp_path, fetch):
    server.cuts = 2
    assert fetch(SHA256).read_bytes() == PAYLOAD
    assert server.requests == [None, "bytes=50000-", "bytes=75000-"]
    assert list_files(tmp_path) == ["a.bin"]


def test_a_later_call_continues_an_earlier_one(server, tmp_path, fetch):
    server.cuts = 1
    with pytest.raises(DownloadError, match="broke off 50000 bytes before its end; try again, what came is kept"):
        fetch(SHA256, attempts=1)
    assert list_files(tmp_path) == ["a.bin.part", "a.bin.part.json"]
    assert fetch(SHA256, attempts=1).read_bytes() == PAYLOAD
    assert server.requests == [None, "bytes=50000-"]


def test_a_mirror_continues_what_another_address_began(server, tmp_path, fetch):
    server.cuts, server.etag = 1, '"first"'
    with pytest.raises(DownloadError):
        fetch(SHA256, attempts=1)
    server.etag = '"mirror"'
    fetch_file(f"{server.base}/mirror/archive.bin", tmp_path / "a.bin", SHA256)
    assert server.requests == [None, "bytes=50000-"]
    assert (tmp_path / "a.bin").read_bytes() == PAYLOAD


def test_tries_are_counted_from_the_last_that_brought_something(server, fetch):
    server.cuts = 12
    assert fetch(SHA256, attempts=2).read_bytes() == PAYLOAD


def test_a_server_that_ignores_ranges_starts_again_but_not_for_ever(server, tmp_path, fetch):
    server.cuts, server.ranges = 1, False
    assert fetch(SHA256).read_bytes() == PAYLOAD
    (tmp_path / "a.bin").unlink()
    server.cuts = 100
    with pytest.raises(DownloadError, match="broke off"):
        fetch(SHA256, attempts=4)
    assert len(server.requests) == 2 + 4


@pytest.mark.parametrize("lie", LIES)
def test_a_server_that_lies_about_ranges_corrupts_nothing(server, tmp_path, fetch, lie):
    server.cuts, server.etag, server.lies = 1, '"one"', [lie]
    assert fetch(SHA256).read_bytes() == PAYLOAD
    assert server.requests == [None, "bytes=50000-", None]
    assert list_files(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("lie", LIES[:-1])  # other bytes with all the right headers, only a checksum can tell
def test_without_a_checksum_a_lie_corrupts_nothing_either(server, fetch, lie):
    server.cuts, server.etag, server.lies = 1, '"one"', [lie]
    assert fetch().read_bytes() == PAYLOAD


def test_a_server_that_always_breaks_off_and_lies_is_given_up(server, tmp_path, fetch):
    server.lies = ["other bytes"] * 1000

    def cut(label):
        server.cuts += label == "download"

    with pytest.raises(DownloadError, match="another file, which was deleted"):
        fetch(SHA256, phase=cut)
    assert server.requests == [None, "bytes=50000-"] * 2
    assert list_files(tmp_path) == []


@pytest.mark.parametrize("checksum", [SHA256, None])
def test_a_file_that_changes_between_tries_is_not_mixed(server, fetch, checksum):
    server.payload, server.cuts, server.etag = bytes(100_000), 1, '"old"'
    with pytest.raises(DownloadError):
        fetch(checksum, attempts=1)
    server.payload, server.etag, server.lies = PAYLOAD, '"new"', ["no version"]  # so that the condition alone can tell
    assert fetch(checksum).read_bytes() == PAYLOAD


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_checksum_and_an_etag_nothing_is_continued(server, fetch, etag):
    server.cuts, server.etag = 1, etag
    assert fetch().read_bytes() == PAYLOAD
    assert server.requests == [None, None]


def test_a_file_that_became_shorter_is_fetched_anew(server, tmp_path, fetch):
    (tmp_path / "a.bin.part").write_bytes(bytes(100_001))
    assert fetch(SHA256).read_bytes() == PAYLOAD
    assert server.requests == ["bytes=100001-", None]


def test_a_part_that_was_whole_when_the_process_ended_needs_no_request(server, tmp_path, fetch, monkeypatch):
    def end(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", end)
        fetch(SHA256)
    assert fetch(SHA256).read_bytes() == PAYLOAD
    assert server.requests == [None]
    assert list_files(tmp_path) == ["a.bin"]


def test_a_whole_part_is_only_checked(server, tmp_path, fetch):
    (tmp_path / "a.bin.part").write_bytes(PAYLOAD)
    assert fetch(SHA256).read_bytes() == PAYLOAD
    assert server.requests == ["bytes=100000-"]


def test_another_file_is_deleted_and_its_checksum_told(server, tmp_path, fetch):
    server.payload = b"an error page"
    came = hashlib.sha256(server.payload).hexdigest()
    with pytest.raises(DownloadError, match=f"expected sha256 {SHA256.value} for .*, got {came}"):
        fetch(SHA256)
    assert list_files(tmp_path) == []
    assert len(server.requests) == 1


def test_a_cut_in_a_file_without_a_length_is_noticed(server, fetch):
    server.is_chunked, server.cuts = True, 1
    assert fetch().read_bytes() == PAYLOAD
    assert server.requests == [None, None]


def test_more_than_the_limit_is_not_written(server, tmp_path, fetch):
    seen = []
    with pytest.raises(DownloadError, match="expected at most 99999 bytes"):
        fetch(SHA256, limit=99_999, phase=lambda _: lambda *step: seen.append(step))
    assert seen == []  # the server said how long it is
    server.is_endless = True
    with pytest.raises(DownloadError, match="expected at most 1000000 bytes"):
        fetch(SHA256, limit=1_000_000)
    assert list_files(tmp_path) == []


def test_a_server_that_is_busy_is_asked_again_later_and_later(server, fetch, clock):
    server.statuses = [(503, {}), (500, {}), (503, {})]
    assert fetch(SHA256).read_bytes() == PAYLOAD
    assert clock.now == 1 + 2 + 4


def test_a_server_says_when_to_ask_again(server, fetch, clock):
    server.statuses = [(429, {"Retry-After": "7"}), (503, {"Retry-After": "86400"})]
    assert fetch(SHA256).read_bytes() == PAYLOAD
    assert clock.now == 7 + 60


def test_a_busy_server_is_given_up(server, fetch, clock):
    server.statuses = [(503, {})] * 9
    with pytest.raises(DownloadError, match="the server answered 503 Service Unavailable"):
        fetch(SHA256, attempts=3)
    assert clock.now == 1 + 2


def test_a_refusal_is_final(server, tmp_path, clock):
    with pytest.raises(DownloadError, match="the server answered 404 Not Found"):
        fetch_file(f"{server.base}/missing", tmp_path / "a.bin", pause=lambda seconds, _: clock.advance(seconds))
    assert clock.now == 0


def test_a_server_that_hangs_counts_as_broken_off(server, fetch, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT_S", 0.1)
    server.hangs = 1
    assert fetch(SHA256).read_bytes() == PAYLOAD
    assert server.requests == [None, "bytes=50000-"]


def test_a_file_that_moved_is_followed_and_continued(server, tmp_path):
    server.cuts, server.etag = 1, '"one"'
    fetch_file(f"{server.base}/moved/b.bin", tmp_path / "a.bin", SHA256, pause=lambda *_: None)
    assert server.paths == ["/moved/b.bin", "/b.bin"] * 2
    assert server.requests == [None, None, "bytes=50000-", "bytes=50000-"]


def test_a_proxy_is_taken_from_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", server.base)
    fetch_file("http://publisher.test/a.bin", tmp_path / "a.bin", SHA256)
    assert server.paths == ["http://publisher.test/a.bin"]


def test_a_local_copy_is_a_file_address(tmp_path, clock):
    (tmp_path / "copy.bin").write_bytes(PAYLOAD)
    assert fetch_file((tmp_path / "copy.bin").as_uri(), tmp_path / "a.bin", SHA256).read_bytes() == PAYLOAD
    with pytest.raises(DownloadError, match=r"No such file.*none\.bin"):
        fetch_file((tmp_path / "none.bin").as_uri(), tmp_path / "b.bin", SHA256, pause=lambda *_: clock.advance(1))
    assert clock.now == 0


def test_an_unknown_certificate_is_told_at_once(server, fetch, clock, monkeypatch):
    def refuse(*_, **__):
        raise urllib.error.URLError(ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]"))

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", refuse)
    with pytest.raises(DownloadError, match="name their file in SSL_CERT_FILE"):
        fetch(SHA256)
    assert clock.now == 0


def test_a_full_disk_is_not_a_broken_transfer(server, fetch, clock, monkeypatch):
    def fill(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer.os, "fsync", fill)
    with pytest.raises(OSError, match="No space left"):
        fetch(SHA256)
    assert clock.now == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot lock a folder")
def test_one_process_at_a_time_works_in_a_folder(tmp_path):
    code = "import sys, pathlib; from efficientad.data.download.fetch import hold_folder\n"
    code += "with hold_folder(pathlib.Path(sys.argv[1])): pass"
    with hold_folder(tmp_path):
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert "another one works in it; wait for it" in done.stderr
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == 0
