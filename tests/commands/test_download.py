"""`efficientad download` of a data set: what a user types, sees, and gets after a break."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from tar_files import pack

from efficientad.cli import main
from efficientad.data.datasets.magnetic_tile import MagneticTileProvider
from efficientad.data.download.catalogue import DATASETS, MAGNETIC_TILE
from efficientad.data.images.encoding import encode_png
from efficientad.data.pretraining.imagenette import open_imagenette
from efficientad.errors import DataError

IMAGE = encode_png(np.zeros((4, 4, 3), np.uint8))


@pytest.fixture(autouse=True)
def quick_machine(monkeypatch):
    """No pauses, no waiting for the whole machine's disk, and room on it for the published sizes."""
    monkeypatch.setattr("efficientad.commands.download._wait", lambda *_: None)
    monkeypatch.setattr(os, "sync", lambda: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**11))


def pack_set(name):
    """Return a small archive in the layout of a data set."""
    dataset = DATASETS[name]
    folders = [folder.removeprefix(f"{dataset.below}/") for folder in dataset.folders]
    root = "packed-1234/" if dataset.strip else ""
    return pack({f"{root}{folder}/n/{number}.png": IMAGE for folder in folders for number in range(2)})


def hash_of(content):
    return hashlib.sha256(content).hexdigest()


def run(name, folder, *options):
    return main(["download", name, "--output", str(folder), *options])


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_is_fetched_from_a_mirror_and_its_licence_told(server, tmp_path, capsys, name):
    server.payload, server.cuts = pack_set(name), 1
    sha256 = hash_of(server.payload)
    assert run(name, tmp_path, "--mirror", server.base, "--sha256", sha256.upper()) == 0
    told = capsys.readouterr()
    assert told.out == f"{tmp_path}\n"
    assert f"Licence: {DATASETS[name].licence}" in told.err.splitlines()[1]
    assert told.err.splitlines()[-1] == f"{2 * len(DATASETS[name].folders)} files of an archive with sha256 {sha256}"
    assert all((tmp_path / folder / "n/1.png").is_file() for folder in DATASETS[name].folders)
    assert server.paths[0] == f"/{DATASETS[name].file}"


def test_the_licence_comes_before_the_first_byte(tmp_path, capsys):
    assert run("mvtec", tmp_path, "--mirror", "http://127.0.0.1:9") == 1
    lines = capsys.readouterr().err.splitlines()
    assert "no commercial use" in lines[1]
    assert lines[-1].startswith("DownloadError: expected http://127.0.0.1:9/mvtec_anomaly_detection.tar.xz, ")
    assert lines[-1].endswith(f"download mvtec --output {tmp_path} --archive mvtec_anomaly_detection.tar.xz")


def test_an_interrupted_download_says_how_to_go_on(server, tmp_path, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("efficientad.commands.download._wait", interrupt)
    server.statuses = [(503, {})]
    assert run("visa", tmp_path, "--mirror", server.base) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "interrupted; the same command continues from here"


def test_the_published_checksum_is_asked_for_without_another(server, tmp_path, capsys):
    server.payload = pack_set("visa")
    assert run("visa", tmp_path, "--mirror", server.base) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert f"expected {DATASETS['visa'].checksum} for {server.base}/" in error
    assert f"got {hash_of(server.payload)}" in error
    assert list(tmp_path.iterdir()) == []


def test_the_provider_reads_magnetic_tiles_as_they_were_downloaded(tmp_path):
    photographs = {f"MT_{kind}/Imgs/a.jpg": IMAGE for kind in ("Blowhole", "Break", "Crack", "Fray", "Free", "Uneven")}
    archive = tmp_path / "copy.tar.gz"
    archive.write_bytes(pack({f"root/{name}": content for name, content in photographs.items()}))
    assert (
        run("magnetic_tile", tmp_path / "raw", "--archive", str(archive), "--sha256", hash_of(archive.read_bytes()))
        == 0
    )
    samples = MagneticTileProvider(tmp_path / "raw/magnetic_tile").list_samples()
    assert {sample.name for sample in samples} == set(photographs)


def test_the_pretraining_reads_imagenette_as_it_was_downloaded(tmp_path):
    with pytest.raises(DataError, match=f"efficientad download imagenette --output {tmp_path}"):
        open_imagenette(tmp_path, count=2, seed=0)
    archive = tmp_path / "copy.tgz"
    archive.write_bytes(pack_set("imagenette"))
    assert run("imagenette", tmp_path, "--archive", str(archive), "--sha256", hash_of(archive.read_bytes())) == 0
    source = open_imagenette(tmp_path, count=2, seed=0)
    assert len(source) == 2
    assert source.load(0).shape == (4, 4, 3)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--mirror", "server/folder"], "expected an address such as https://server/folder, got server/folder"),
        (["--mirror", "s3://bucket"], "expected an address such as https://server/folder, got s3://bucket"),
        (["--sha256", "abc"], "expected 64 hexadecimal digits, as sha256sum prints them, got abc"),
        (["--mirror", "http://a", "--archive", "b"], "not allowed with argument"),
    ],
)
def test_wrong_options_are_told(tmp_path, capsys, options, told):
    with pytest.raises(SystemExit, match="2"):
        run("visa", tmp_path, *options)
    assert told in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_download_that_was_killed_completes_by_the_same_command(server, tmp_path):
    server.payload, server.hangs = pack_set("magnetic_tile") + bytes(500_000), 1
    line = ["--mirror", server.base, "--sha256", hash_of(server.payload)]
    code = "import sys; from efficientad.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "download", "magnetic_tile", "--output", str(tmp_path), *line]
    part = tmp_path / f"{MAGNETIC_TILE.file}.part"
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (part.is_file() and part.stat().st_size > 200_000) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    came = part.stat().st_size
    assert run("magnetic_tile", tmp_path, *line) == 0
    assert server.requests == [None, f"bytes={came}-"]
    assert (tmp_path / "magnetic_tile/MT_Free/Imgs/n/1.png").read_bytes() == IMAGE
