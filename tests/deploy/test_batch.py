"""Judging files and folders once, and again after an interruption."""

import io
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from image_folder import COUNT, read_files, read_lines
from PIL import Image

from efficientad.data.datasets.folder import FolderProvider
from efficientad.deploy import judge
from efficientad.deploy.batch import predict_files
from efficientad.deploy.engines.engine import EngineOptions
from efficientad.deploy.judge import Output
from efficientad.deploy.records import JSON_LINES, RUN, TABLE, describe_run
from efficientad.errors import DataError


def describe(folder, models, heat_maps=False, maps=None):
    return describe_run(folder, models / "openvino/fp32/1/model.xml", EngineOptions(), heat_maps, maps)


def predict(engine, source, output, run, restart=False):
    """Judge one source, with what the run says that is wanted."""
    wanted = Output(output, run.heat_maps, Path(run.maps) if run.maps else None)
    return predict_files(engine, [source], wanted, run, restart)


@pytest.mark.parametrize("heat_maps", [False, True])
@pytest.mark.parametrize("killed_after", [0, 1, 4, 5, COUNT])
def test_a_killed_run_continues_to_the_same_bytes(
    engine, models, folder, tmp_path, monkeypatch, capsys, killed_after, heat_maps
):
    """What a kill leaves: some whole lines, a torn one, a table that is behind."""
    whole, killed, run = tmp_path / "whole", tmp_path / "killed", describe(folder, models, heat_maps)
    assert predict(engine, folder, whole, run) == 1
    predict(engine, folder, killed, run)
    lines = (killed / JSON_LINES).read_bytes().splitlines(keepends=True)
    torn = lines[killed_after][:-1] if killed_after < COUNT else b""
    (killed / JSON_LINES).write_bytes(b"".join(lines[:killed_after]) + torn)
    (killed / TABLE).write_bytes((killed / TABLE).read_bytes()[: 20 * killed_after])
    read, original = [], judge.hold_image
    monkeypatch.setattr(judge, "hold_image", lambda file, *others: [read.append(file), original(file, *others)][1])
    capsys.readouterr()
    assert predict(engine, folder, killed, run) == 1
    assert read_files(killed) == read_files(whole)
    kept = killed_after - (killed_after > 3)  # the broken image is tried again
    assert len(set(read)) == COUNT - kept
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == COUNT - kept - 1
    assert (f"continuing: {kept} of {COUNT} images are judged" in printed.err) == (kept > 0)


def test_an_interrupt_leaves_whole_records_and_the_next_start_continues(engine, models, folder, tmp_path, monkeypatch):
    run, original = describe(folder, models), judge.hold_image
    last = max(folder.rglob("*.png"))

    def interrupt(file, *others):
        if file == last:
            raise KeyboardInterrupt
        return original(file, *others)

    monkeypatch.setattr(judge, "hold_image", interrupt)
    with pytest.raises(KeyboardInterrupt):
        predict(engine, folder, tmp_path / "out", run)
    assert len(read_lines(tmp_path / "out")) < COUNT
    monkeypatch.undo()
    predict(engine, folder, tmp_path / "out", run)
    predict(engine, folder, tmp_path / "whole", run)
    assert read_files(tmp_path / "out") == read_files(tmp_path / "whole")


def test_a_mended_image_and_new_ones_are_judged_and_stand_in_their_places(engine, models, folder, tmp_path):
    run = describe(folder, models)
    assert predict(engine, folder, tmp_path / "out", run) == 1
    files = sorted(folder.rglob("*.png"))
    files[3].write_bytes(files[4].read_bytes())
    (folder / "first.png").write_bytes(files[5].read_bytes())
    assert predict(engine, folder, tmp_path / "out", run) == 0
    assert predict(engine, folder, tmp_path / "whole", run) == 0
    assert read_files(tmp_path / "out") == read_files(tmp_path / "whole")
    assert read_lines(tmp_path / "out")[0]["image"] == "first.png"


def test_results_of_another_run_are_refused_untouched_and_replaced_on_restart(engine, models, folder, tmp_path):
    out, run = tmp_path / "out", describe(folder, models)
    predict(engine, folder, out, run)
    before = read_files(out)
    changes = {"images": "/o", "model": "0", "device": "GPU", "precision": "bf16", "heat_maps": True, "maps": "/o"}
    others = [replace(run, **{name: value}) for name, value in changes.items()]
    for other in others:
        with pytest.raises(DataError, match=r"got those of another .*--restart"):
            predict(engine, folder, out, other)
    with pytest.raises(DataError, match="images"):  # one image's results would replace a folder's
        predict(engine, min(folder.rglob("*.png")), out, run)
    assert read_files(out) == before
    predict(engine, folder, out, others[1], restart=True)
    after = read_files(out)
    assert after[JSON_LINES] == before[JSON_LINES]
    assert after[RUN] != before[RUN]


def test_one_images_results_are_replaced_by_the_next_ones(engine, models, folder, tmp_path):
    first, second = sorted(folder.rglob("*.png"))[:2]
    for file in (first, second, second):
        predict(engine, file, tmp_path / "out", describe(file, models))
        assert [line["image"] for line in read_lines(tmp_path / "out")] == [file.name]
    assert set(read_files(tmp_path / "out")) == {JSON_LINES, TABLE}


def test_an_output_inside_of_the_images_is_not_judged(engine, models, folder):
    run = describe(folder, models, heat_maps=True)
    for restart in (False, True):
        predict(engine, folder, folder / "predictions", run, restart)
        assert len(read_lines(folder / "predictions")) == COUNT
    with pytest.raises(DataError, match="folder of their own"):
        predict(engine, folder, folder, run)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_unicode_is_kept(engine, models, folder, tmp_path):
    name = b"\xff.png".decode("utf-8", "surrogateescape")
    (folder / name).write_bytes(min(folder.rglob("*.png")).read_bytes())
    sys.stdout.reconfigure(errors="backslashreplace")
    predict(engine, folder, tmp_path / "out", describe(folder, models))
    assert name in [line["image"] for line in read_lines(tmp_path / "out")]


def touch_later(file):
    """Give a file the time of a minute later, as a camera that writes a name again."""
    status = file.stat()
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 60_000_000_000))


@pytest.mark.parametrize("change", ["pixels", "time", "broken"])
def test_an_image_whose_file_changed_under_its_name_is_judged_again(engine, models, folder, tmp_path, capsys, change):
    run, out = describe(folder, models, heat_maps=True), tmp_path / "out"
    predict(engine, folder, out, run)
    files = sorted(folder.rglob("*.png"))
    if change == "pixels":
        files[0].write_bytes(files[1].read_bytes())
    elif change == "time":
        touch_later(files[0])
    else:
        files[0].write_bytes(files[0].read_bytes()[:-200])
    capsys.readouterr()
    assert predict(engine, folder, out, run) == (2 if change == "broken" else 1)
    assert f"continuing: {COUNT - 2} of {COUNT}" in capsys.readouterr().err
    predict(engine, folder, tmp_path / "whole", run)
    for name in (JSON_LINES, TABLE):
        assert read_files(out)[name] == read_files(tmp_path / "whole")[name]
    assert ("error" in read_lines(out)[0]) == (change == "broken")
    assert predict(engine, folder, out, run) == (2 if change == "broken" else 1)


def test_a_run_that_is_killed_before_a_changed_image_is_judged_again_judges_it_at_the_next_start(
    engine, models, folder, tmp_path, monkeypatch
):
    run, out = describe(folder, models), tmp_path / "out"
    predict(engine, folder, out, run)
    first, second = sorted(folder.rglob("*.png"))[:2]
    first.write_bytes(second.read_bytes())
    with monkeypatch.context() as patched:
        patched.setattr("efficientad.deploy.batch.print_record", lambda record: 1 / 0)
        patched.setattr("efficientad.deploy.records._write", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            predict(engine, folder, out, run)
    predict(engine, folder, out, run)
    predict(engine, folder, tmp_path / "whole", run)
    assert read_files(out) == read_files(tmp_path / "whole")


def test_results_of_an_earlier_version_are_refused_by_a_word_on_why(engine, models, folder, tmp_path):
    run, out = describe(folder, models), tmp_path / "out"
    predict(engine, folder, out, run)
    old = json.loads((out / RUN).read_text("utf-8"))
    del old["format"], old["maps"]
    (out / RUN).write_text(json.dumps(old), "utf-8")
    before = read_files(out)
    with pytest.raises(DataError, match=r"those of an earlier version of efficientad.*--restart"):
        predict(engine, folder, out, run)
    assert read_files(out) == before
    predict(engine, folder, out, run, restart=True)


def test_files_and_folders_are_judged_together_by_their_names_below_the_common_folder(engine, models, folder, tmp_path):
    sources = [folder / "line 1", folder / "line 0/00.png", folder / "line 0/02.png", folder / "line 1/01.png"]
    run = describe(folder, models)
    predict_files(engine, sources, Output(tmp_path / "out"), run)
    names = [line["image"] for line in read_lines(tmp_path / "out")]
    assert names == ["line 0/00.png", "line 0/02.png", *(f"line 1/{index:02}.png" for index in range(1, COUNT, 2))]
    predict(engine, folder, tmp_path / "out", run)  # the rest, of the same folder
    predict(engine, folder, tmp_path / "whole", run)
    assert read_files(tmp_path / "out") == read_files(tmp_path / "whole")


def test_raw_maps_inside_of_the_images_are_not_judged(engine, models, folder, tmp_path):
    run = describe(folder, models, maps=folder / "maps")
    for restart in (False, True):
        assert predict(engine, folder, tmp_path / "out", run, restart) == 1
        assert len(read_lines(tmp_path / "out")) == COUNT
    with pytest.raises(DataError, match=r"raw maps in a folder of their own.*--map-dir"):
        predict(engine, folder, tmp_path / "out", describe(folder, models, maps=folder))


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("terminal", [False, True])
def test_a_bar_is_shown_on_a_terminal_alone_and_lines_stay_on_stdout(
    engine, models, folder, tmp_path, monkeypatch, terminal
):
    out, err = io.StringIO(), Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setenv("TERM", "xterm")
    predict(engine, folder, tmp_path / "out", describe(folder, models))
    assert len(out.getvalue().splitlines()) == COUNT - 1
    assert (f"{COUNT}/{COUNT}" in err.getvalue()) == terminal
    assert "skipped" in err.getvalue()


def test_what_prepare_refuses_predict_refuses_in_the_same_words(tmp_path):
    """Such as 12 bits in a 16-bit file, whatever a hot pixel says."""
    levels = np.full((30, 40), 4095, np.uint16)
    levels[3, 3] = 65535
    (tmp_path / "good").mkdir()
    Image.fromarray(levels).save(tmp_path / "good/part.png")
    provider = FolderProvider(tmp_path)
    with pytest.raises(DataError) as refused:
        provider.load_image(provider.list_samples()[0])
    assert judge.load_pixels("part.png", tmp_path / "good/part.png", (64, 64)).error == str(refused.value)
