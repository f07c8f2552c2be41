"""Images that arrive while the station runs."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from threading import Event, Thread

import numpy as np
import pytest
from image_folder import read_files, read_lines
from tiny_models import HEADER, SIDE

from efficientad.data.images.encoding import encode_png
from efficientad.deploy.batch import predict_files
from efficientad.deploy.engines.engine import Outputs
from efficientad.deploy.judge import Output
from efficientad.deploy.records import JSON_LINES, Run
from efficientad.deploy.sources import Stamp
from efficientad.deploy.watch import Arrivals, stop_by_signals, watch_folders
from efficientad.errors import DataError

SECONDS = 0.02


class Brightness:
    """An engine in no time: the map is the red channel."""

    header = HEADER

    def run(self, images):
        maps = images[..., 0] / np.float32(255)
        return Outputs(maps, maps.max(axis=(1, 2)))


def draw(level):
    return encode_png(np.full((SIDE, SIDE, 3), level, np.uint8))


def describe(folder):
    return Run(str(folder), "", "CPU", "f32", False, "")


@contextmanager
def watching(folder, output):
    stop = Event()
    arguments = (Brightness(), [folder], Output(output), describe(folder), SECONDS, stop)
    thread = Thread(target=watch_folders, args=arguments)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def wait_for(output, condition):
    """Wait until the records, by image and the last one for each, fulfil a condition; return them."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lines = read_lines(output) if (output / JSON_LINES).exists() else []
        records = {record["image"]: record for record in lines}
        if condition(records):
            return records
        time.sleep(SECONDS)
    raise AssertionError(records)


def wait_to_hear(capsys, word):
    """Wait until a word was printed on stderr; return all that was."""
    deadline, said = time.monotonic() + 60, ""
    while word not in said and time.monotonic() < deadline:
        said += capsys.readouterr().err
        time.sleep(SECONDS)
    return said


def test_a_file_is_taken_once_when_it_stopped_growing_and_again_when_it_changed():
    old, grown, changed = Stamp(10, 1.0), Stamp(20, 1.0), Stamp(20, 2.0)
    arrivals = Arrivals({"judged": old})
    takes = [arrivals.take({"judged": old, "new": stamp}) for stamp in (old, grown, grown, grown, changed, changed)]
    assert takes == [[], [], ["new"], [], [], ["new"]]


def test_files_that_are_gone_for_a_while_are_not_taken_again():
    arrivals = Arrivals({"judged": Stamp(1, 1.0)})
    assert [arrivals.take(stamps) for stamps in ({}, {"judged": Stamp(1, 1.0)}, {"judged": Stamp(1, 1.0)})] == [[]] * 3


def test_the_oldest_comes_first():
    stamps = {"b": Stamp(1, 5.0), "a": Stamp(1, 5.0), "c": Stamp(1, 4.0)}
    arrivals = Arrivals({})
    arrivals.take(stamps)
    assert arrivals.take(stamps) == ["c", "a", "b"]


def test_arriving_broken_mended_and_changed_images_end_in_the_records_of_one_run(tmp_path, capsys):
    folder, output = tmp_path / "images", tmp_path / "out"
    folder.mkdir()
    with watching(folder, output):
        (folder / "dark.png").write_bytes(draw(10))
        wait_for(output, lambda records: records.get("dark.png", {}).get("verdict") == "normal")
        (folder / "half.png").write_bytes(draw(200)[:100])  # a camera that pauses for longer than it should
        wait_for(output, lambda records: "error" in records.get("half.png", {}))
        (folder / "half.png").write_bytes(draw(200))
        wait_for(output, lambda records: records["half.png"].get("verdict") == "anomalous")
        (folder / "dark.png").write_bytes(draw(255))
        wait_for(output, lambda records: records["dark.png"]["score"] == 1)
        (folder / "line 2").mkdir()
        (folder / "line 2/broken.png").write_bytes(b"no image")
        wait_for(output, lambda records: "error" in records.get("line 2/broken.png", {}))
    printed = capsys.readouterr()
    assert [line.split()[::2] for line in printed.out.splitlines()] == [
        ["normal", "dark.png"], ["anomalous", "half.png"], ["anomalous", "dark.png"],
    ]  # fmt: skip
    assert [line.split()[0] for line in printed.err.splitlines()] == ["watching", "skipped", "skipped", "stopped:"]
    assert predict_files(Brightness(), [folder], Output(tmp_path / "whole"), describe(folder)) == 1
    assert read_files(output) == read_files(tmp_path / "whole")


def test_watching_goes_on_where_it_was_stopped_and_a_folder_that_vanishes_is_waited_for(tmp_path, capsys):
    folder, output = tmp_path / "images", tmp_path / "out"
    folder.mkdir()
    (folder / "first.png").write_bytes(draw(10))
    predict_files(Brightness(), [folder], Output(output), describe(folder))
    with watching(folder, output):
        said = wait_to_hear(capsys, "watching")
        folder.rename(tmp_path / "unplugged")
        said += wait_to_hear(capsys, "waiting")
        (tmp_path / "unplugged").rename(folder)
        (folder / "second.png").write_bytes(draw(20))
        wait_for(output, lambda records: "second.png" in records)
    printed = capsys.readouterr()
    assert [line.split()[-1] for line in printed.out.splitlines()] == ["second.png"]
    assert (said + printed.err).count("waiting   expected a folder to watch at") == 1
    assert "1 images judged" in printed.err


def test_only_folders_are_watched(tmp_path):
    (tmp_path / "a.png").write_bytes(draw(1))
    with pytest.raises(DataError, match=r"expected a folder to watch at .*a\.png"):
        watch_folders(Brightness(), [tmp_path / "a.png"], Output(tmp_path / "o"), describe(tmp_path), 1, Event())
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_and_a_second_one_acts_as_ever(number):
    before = signal.getsignal(number)
    with stop_by_signals() as stop:
        assert not stop.is_set()
        # Called, not raised: other tests hold Cores of OpenVINO of their own, see deploy/engines/core.py.
        signal.getsignal(number)(number, None)
        assert stop.is_set()
        assert signal.getsignal(number) == before
    assert signal.getsignal(number) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a program without a word")
def test_the_command_prints_a_line_an_image_and_ends_cleanly(models, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.png").write_bytes(draw(10))
    arguments = ["predict", "images", "--model", str(models), "--watch", "0.05"]
    running = subprocess.Popen(
        [sys.executable, "-m", "efficientad.cli", *arguments], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert running.stdout.readline().endswith("  a.png\n")
    running.send_signal(signal.SIGTERM)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 0
    assert errors.splitlines()[-1] == "stopped: 1 images judged; the same command goes on from here"
    assert [record["image"] for record in read_lines(tmp_path / "predictions")] == ["a.png"]
