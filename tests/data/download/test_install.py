"""A data set is in its place as a whole or not at all, whatever came and wherever the process was killed."""

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from tar_files import pack

from efficientad.data.download.catalogue import Dataset
from efficientad.data.download.checksums import Checksum, compute_tree_id
from efficientad.data.download.install import install_dataset
from efficientad.data.download.source import Choice
from efficientad.errors import DownloadError

FILES = {"candle/a.png": b"a", "candle/b/c.png": b"c", "cashew/a.png": b"d", "license.txt": b"free"}
INSTALLED = {"candle/a.png": b"a", "candle/b/c.png": b"c", "cashew/a.png": b"d", "set_license.txt": b"free"}
CONTENT = pack(FILES)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
DATASET = Dataset(
    name="set", title="A set", address="https://publisher.test/set.tgz", file="set.tgz",
    checksum=Checksum("sha256", SHA256), packed=len(CONTENT), unpacked=100, licence="free", citation="Me",
    page="https://publisher.test", folders=("candle", "cashew"),
)  # fmt: skip

PUBLISHED = Choice()


@pytest.fixture(autouse=True)
def sync(monkeypatch):
    """Do not wait for the disk of the whole machine."""
    monkeypatch.setattr(os, "sync", lambda: None)


@pytest.fixture
def dataset(server):
    server.payload = CONTENT
    return replace(DATASET, address=f"{server.base}/set.tgz")


@pytest.fixture
def install(dataset, tmp_path):
    def run(choice=PUBLISHED, **changes):
        return install_dataset(replace(dataset, **changes), tmp_path / "data", choice, pause=lambda *_: None)

    return run


def read_files(folder, hidden=False):
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in files.items() if hidden or not name.startswith(".")}


def read_top(folder):
    return {name.removeprefix(f"{folder}/"): content for name, content in FILES.items() if name.startswith(folder)}


def test_a_set_is_fetched_checked_and_unpacked_once(server, tmp_path, install):
    for _ in range(2):
        record = install()
    assert read_files(tmp_path / "data") == INSTALLED
    assert (record.dataset, record.source, record.sha256, record.files) == ("set", f"{server.base}/set.tgz", SHA256, 3)
    assert json.loads((tmp_path / "data/.set.json").read_text())["sha256"] == SHA256
    assert len(server.requests) == 1
    assert sorted(path.name for path in (tmp_path / "data").glob(".*")) == [".set.json"]


def test_the_archive_is_kept_on_request(tmp_path, install):
    install(Choice(keep=True))
    assert (tmp_path / "data/set.tgz").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("address", "asked"),
    [("/copies", "/copies/set.tgz"), ("/copies/", "/copies/set.tgz"), ("/share/1/4f2a.tar.gz?key=1",) * 2],
)
def test_a_mirror_is_a_folders_address_or_the_archives(server, tmp_path, install, address, asked):
    install(Choice(mirror=server.base + address))
    assert server.paths == [asked]
    assert read_files(tmp_path / "data") == INSTALLED


@pytest.mark.parametrize("where", ["archive", "file of a mirror", "folder of a mirror"])
def test_an_archive_at_hand_needs_no_network_and_stays(server, tmp_path, install, where):
    copy = tmp_path / "copies/set.tgz"
    copy.parent.mkdir()
    copy.write_bytes(CONTENT)
    install(
        Choice(archive=copy)
        if where == "archive"
        else Choice(mirror=(copy if where == "file of a mirror" else copy.parent).as_uri())
    )
    assert server.requests == []
    assert read_files(tmp_path / "data") == INSTALLED
    assert copy.read_bytes() == CONTENT


def test_an_archive_that_was_put_into_the_folder_stays_when_it_is_named(tmp_path, install):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/set.tgz").write_bytes(CONTENT)
    install(Choice(archive=tmp_path / "data/set.tgz"))
    assert (tmp_path / "data/set.tgz").is_file()


def test_another_archive_is_refused_and_not_deleted(tmp_path, install):
    other = tmp_path / "other.tgz"
    other.write_bytes(pack({"candle/x": b"1", "cashew/x": b"2"}))
    came = hashlib.sha256(other.read_bytes()).hexdigest()
    with pytest.raises(DownloadError, match=f"expected sha256 {SHA256} for .*other.tgz, it has {came}.*--sha256"):
        install(Choice(archive=other))
    assert other.is_file()
    assert read_files(tmp_path / "data", hidden=True) == {}
    assert install(Choice(archive=other, sha256=came)).files == 2
    with pytest.raises(DownloadError, match=r"expected an archive at none\.tgz, found none"):
        install(Choice(archive=Path("none.tgz")), name="second", folders=("x",))


def test_an_archive_of_another_layout_is_refused_and_leaves_nothing(server, tmp_path, install):
    server.payload = pack({"candle/x": b"1"})
    for content in (server.payload, pack({"../evil": b"1"})):
        server.payload = content
        with pytest.raises(DownloadError, match=r"it lacks cashew|leads out of its folder"):
            install(Choice(sha256=hashlib.sha256(content).hexdigest()))
    assert read_files(tmp_path, hidden=True) == {}


def test_files_that_a_publisher_packs_anew_are_known_by_their_tree(server, tmp_path, install):
    for name, content in FILES.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(content)
    changes = {"checksum": None, "tree_id": compute_tree_id(tmp_path / "tree"), "strip": 1, "below": "set",
               "folders": ("set/candle",)}  # fmt: skip
    server.payload = pack({f"set-1234/{name}": content for name, content in FILES.items()} | {"set-1234/more": b""})
    with pytest.raises(DownloadError, match="expected files with the git tree"):
        install(**changes)
    assert read_files(tmp_path / "data", hidden=True) == {}
    server.payload = pack({f"set-1234/{name}": content for name, content in FILES.items()}, "xz")
    assert install(**changes).sha256 == hashlib.sha256(server.payload).hexdigest()
    assert read_files(tmp_path / "data/set") == FILES


def test_folders_of_somebody_else_are_not_touched(server, tmp_path, install):
    (tmp_path / "data/cashew").mkdir(parents=True)
    with pytest.raises(DownloadError, match="found cashew, which this command did not put there; nothing was touched"):
        install()
    assert server.requests == []


def test_a_set_of_which_files_were_deleted_is_told(tmp_path, install):
    install()
    (tmp_path / "data/candle/a.png").unlink()
    with pytest.raises(DownloadError, match=r"expected the 3 files of set in .*, found 2; move candle, cashew away"):
        install()
    shutil.rmtree(tmp_path / "data/candle")
    shutil.rmtree(tmp_path / "data/cashew")
    install()
    assert read_files(tmp_path / "data") == INSTALLED


def test_the_disk_is_checked_before_a_byte_is_fetched(server, install, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    with pytest.raises(DownloadError, match=r"expected 2\.0 GB free for set in .*, found 1\.0 GB; make room"):
        install(unpacked=2 * 10**9)
    assert server.requests == []
    install(unpacked=9 * 10**8)


def test_without_a_network_the_steps_are_told(tmp_path, install):
    with pytest.raises(DownloadError) as caught:
        install(Choice(mirror="http://127.0.0.1:9"))
    for step in (
        "expected http://127.0.0.1:9/set.tgz",
        "set.tgz on another machine (should it be gone, https://publisher.test names today's",
        f"check that it has sha256 {SHA256}",
        f"efficientad download set --output {tmp_path / 'data'} --archive set.tgz",
    ):
        assert step in str(caught.value)


def test_a_full_disk_leaves_the_archive_and_nothing_unpacked(server, tmp_path, install, monkeypatch):
    def fill(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(DownloadError, match="No space left on device"):
        patch.setattr(shutil, "copyfileobj", fill)
        install()
    assert read_files(tmp_path / "data", hidden=True) == {"set.tgz": CONTENT}
    install()
    assert read_files(tmp_path / "data") == INSTALLED
    assert len(server.requests) == 1


class Killed(BaseException):
    """The end of the process."""


@pytest.fixture
def kill_before(monkeypatch):
    """A function that lets the nth call from now that changes the disk end the process."""
    left = [0]

    def watch(owner, name):
        original = getattr(owner, name)

        def count(*words, **options):
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return original(*words, **options)

        monkeypatch.setattr(owner, name, count)

    for owner, names in (
        (Path, ("mkdir", "rename", "replace", "unlink", "rmdir", "write_text")),
        (shutil, ("copyfileobj",)),
        (os, ("fsync", "sync")),
    ):
        for name in names:
            watch(owner, name)

    def arm(step):
        left[0] = step

    return arm


def test_wherever_it_is_killed_the_same_command_completes(tmp_path, install, kill_before):
    for step in range(1, 100):
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        kill_before(step)
        try:
            install()
        except Killed:
            kill_before(0)
            for folder in DATASET.folders:
                assert read_files(tmp_path / "data" / folder) in ({}, read_top(folder)), step
            install()
            assert read_files(tmp_path / "data") == INSTALLED, step
            assert [path.name for path in (tmp_path / "data").glob(".*")] == [".set.json"], step
        else:
            break
    assert 20 < step < 99


def test_a_folder_gets_its_name_after_its_files_are_on_the_disk(tmp_path, install, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "sync", lambda: seen.append(sorted(path.name for path in (tmp_path / "data").iterdir())))
    install()
    assert seen == [[".set.unpacking", "set.tgz"]]
