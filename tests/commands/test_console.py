"""What a person sees of `efficientad predict`: its own lines, printable, and no library's."""

import json
import os
import signal
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from noisy_images import write_noisy

from efficientad.cli import main
from efficientad.data.images.encoding import encode_png
from efficientad.pipeline.silence import silence_libraries

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names and signals")

ODD = [b"\xff.png", b"\x1b]0;owned\x07\x1b[2J.png", b"two\nlines.png", "\u202egnp.png".encode(), b'"quoted",=1+1.png']


def start(folder, models, *arguments):
    """With Ctrl-C as in a terminal: shells let jobs in the background ignore it, and so what those start."""
    command = [sys.executable, "-m", "efficientad.cli", "predict", "images", "--model", str(models), *arguments]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a handler is not handed on, ignoring is
    try:
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    return tmp_path


def draw(index=0):
    return encode_png(np.full((40, 40, 3), 50 + index, np.uint8))


def test_names_are_printable_on_the_terminal_and_whole_in_the_records(models, folder):
    long = b"l" * 251 + b".png"
    for name in (*ODD, long):
        (folder / "images" / os.fsdecode(name)).write_bytes(draw())
    (folder / "images" / os.fsdecode(b"broken\x1b[31m\xfe.png")).write_bytes(draw()[:60])
    running = start(folder, models, "--heat-maps", "--map-dir", "maps")
    printed, errors = running.communicate(timeout=120)
    assert running.returncode == 3
    for text in (printed, errors):
        assert all(line.isprintable() for line in text.decode("utf-8").split("\n"))
    assert len(printed.splitlines()) == len(ODD) + 1
    lines = (folder / "predictions/predictions.jsonl").read_bytes().decode("utf-8").split("\n")
    assert all(line.isprintable() for line in lines)
    records = [json.loads(line) for line in lines[:-1]]
    judged = {os.fsencode(record["image"]): record for record in records if "verdict" in record}
    assert set(judged) == {*ODD, long}
    for record in judged.values():
        assert (folder / "predictions" / record["heat_map"]).is_file()
        assert (folder / "maps" / record["map"]).is_file()
    table = (folder / "predictions/predictions.csv").read_bytes().decode("utf-8").split("\n")
    assert len(table) == len(records) + 2
    assert all(line.isprintable() for line in table)


def test_damaged_images_get_a_line_each_and_libraries_say_nothing(models, folder):
    """libpng, libtiff and OpenCV each have words of their own for these."""
    write_noisy(folder / "images", "noisy", np.full((20, 30, 3), 90, np.uint8))
    whole = draw()
    place = whole.index(b"IDAT") - 4
    pixels = bytearray(whole)
    pixels[place + 20] ^= 0xFF
    end = place + 8 + int.from_bytes(whole[place : place + 4], "big")
    pixels[end : end + 4] = struct.pack(">I", zlib.crc32(pixels[place + 4 : end]))
    (folder / "images/pixels.png").write_bytes(pixels)
    running = start(folder, models)
    printed, errors = running.communicate(timeout=120)
    assert [line.split()[0] for line in errors.decode().splitlines()] == ["skipped"]
    assert len(printed.splitlines()) == 2


def test_python_and_c_have_their_stderr_again_afterwards(capfd):
    with silence_libraries():
        os.write(2, b"noise\n")
        print("ours", file=sys.stderr)
    os.write(2, b"after\n")
    heard = capfd.readouterr().err
    assert "noise" not in heard
    assert "after" in heard


def test_an_argument_is_repeated_without_its_control_characters(capsys):
    with pytest.raises(SystemExit):
        main(["predict", "--\x1b[31m"])
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_whole_records_and_a_word_and_no_lock(models, folder, number, code):
    for index in range(400):
        (folder / f"images/{index:03}.png").write_bytes(draw(index % 200))
    running = start(folder, models)
    assert running.stdout.readline().endswith(b"000.png\n")
    running.send_signal(number)
    _, errors = running.communicate(timeout=120)
    assert (running.returncode, errors.decode()) == (code, "interrupted; the same command continues from here\n")
    text = (folder / "predictions/predictions.jsonl").read_text("utf-8")
    assert text.endswith("\n")
    assert 0 < len([json.loads(line) for line in text.splitlines()]) < 400
    names = {file.name for file in (folder / "predictions").iterdir()}
    assert names == {"predictions.jsonl", "predictions.csv", "predictions.run.json"}


def test_a_second_run_on_the_same_folder_is_refused_also_while_the_first_watches(models, folder):
    (folder / "images/a.png").write_bytes(draw())
    first = start(folder, models, "--watch", "0.05")
    try:
        assert first.stdout.readline().endswith(b"a.png\n")
        for arguments in ([], ["--restart"], ["--watch", "0.05"]):
            second = start(folder, models, *arguments)
            _, errors = second.communicate(timeout=120)
            assert second.returncode == 1
            assert f"another one is at it (process {first.pid}); wait for it or stop it" in errors.decode()
            assert len(errors.splitlines()) <= 1
    finally:
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
    assert first.returncode == 0
