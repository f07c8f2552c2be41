import io
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from efficientad.data.datasets.folder import FolderProvider
from efficientad.data.files.images import read_image, write_png
from efficientad.deploy import batch
from efficientad.deploy.batch import judge_files, predict_files
from efficientad.deploy.engines.engine import EngineOptions
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.heat_map import draw_heat_map
from efficientad.deploy.predictor import predict_image
from efficientad.deploy.records import JSON_LINES, RUN, TABLE, describe_run
from efficientad.errors import DataError

COUNT = 12


@pytest.fixture
def folder(tmp_path):
    """Images of several sizes; the fourth, in the order of names, is broken."""
    rng = np.random.default_rng(0)
    for index in range(COUNT):
        path = tmp_path / "images" / f"line {index % 2}" / f"{index:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, rng.integers(0, 256, (64 + 7 * index, 90, 3), dtype=np.uint8))
    broken = sorted((tmp_path / "images").rglob("*.png"))[3]
    broken.write_bytes(broken.read_bytes()[:300])
    return tmp_path / "images"


@pytest.fixture(scope="module")
def engine(models):
    return load_engine(models, EngineOptions(hint="THROUGHPUT"))


def describe(folder, models, heat_maps=False):
    return describe_run(folder, models / "openvino/fp32/1/model.xml", EngineOptions(), heat_maps)


def read_files(output):
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in output.rglob("*") if path.is_file()}


def read_lines(output):
    return [json.loads(line) for line in (output / JSON_LINES).read_text("utf-8").splitlines()]


@pytest.mark.parametrize("file", ["openvino/fp32/1/model.xml", "detector.onnx", "detector.safetensors"])
def test_a_folder_gives_the_scores_of_one_image_at_a_time(models, folder, file):
    one, many = load_engine(models / file), load_engine(models / file, EngineOptions(hint="THROUGHPUT"))
    files = sorted(folder.rglob("*.png"))
    records = list(judge_files(many, files, folder, None))
    assert [record["image"] for record in records] == [file.relative_to(folder).as_posix() for file in files]
    assert [index for index, record in enumerate(records) if "error" in record] == [3]
    scores = []
    for file, record in zip(files, records, strict=True):
        if "error" not in record:
            prediction = predict_image(one, read_image(file))
            assert record["score"] == pytest.approx(prediction.score, abs=1e-5)
            assert record["verdict"] == prediction.verdict
            assert record["display_score"] == one.header.scale_score(record["score"])
            scores.append(record["score"])
    assert len(set(scores)) == COUNT - 1


def test_a_white_line_runs_around_what_lies_above_the_threshold():
    image, anomaly_map = np.full((64, 80, 3), 100, np.uint8), np.zeros((64, 80), np.float32)
    anomaly_map[20:40, 30:50] = 1
    white = (draw_heat_map(image, anomaly_map, 0.5) == 255).all(axis=-1)
    border = np.zeros((64, 80), bool)
    border[20:40, 30:50] = True
    border[21:39, 31:49] = False
    np.testing.assert_array_equal(white, border)
    assert not (draw_heat_map(image, anomaly_map, 1.5) == 255).all(axis=-1).any()


def test_heat_maps_change_no_record_but_name_a_file(engine, folder, tmp_path):
    files = sorted(folder.rglob("*.png"))
    plain = list(judge_files(engine, files, folder, None))
    drawn = list(judge_files(engine, files, folder, tmp_path / "maps"))
    assert [{key: record[key] for key in record if key != "heat_map"} for record in drawn] == plain
    heat_maps_written = {record["heat_map"] for record in drawn if "heat_map" in record}
    assert len(heat_maps_written) == COUNT - 1
    assert heat_maps_written == set(read_files(tmp_path / "maps"))


@pytest.mark.parametrize("heat_maps", [False, True])
@pytest.mark.parametrize("killed_after", [0, 1, 4, 5, COUNT])
def test_a_killed_run_continues_to_the_same_bytes(
    engine, models, folder, tmp_path, monkeypatch, capsys, killed_after, heat_maps
):
    """What a kill leaves: some whole lines, a torn one, a table that is behind."""
    whole, killed, run = tmp_path / "whole", tmp_path / "killed", describe(folder, models, heat_maps)
    assert predict_files(engine, folder, whole, run) == 1
    predict_files(engine, folder, killed, run)
    lines = (killed / JSON_LINES).read_bytes().splitlines(keepends=True)
    torn = lines[killed_after][:-1] if killed_after < COUNT else b""
    (killed / JSON_LINES).write_bytes(b"".join(lines[:killed_after]) + torn)
    (killed / TABLE).write_bytes((killed / TABLE).read_bytes()[: 20 * killed_after])
    read, original = [], batch.read_image
    monkeypatch.setattr(batch, "read_image", lambda file: [read.append(file), original(file)][1])
    capsys.readouterr()
    assert predict_files(engine, folder, killed, run) == 1
    assert read_files(killed) == read_files(whole)
    kept = killed_after - (killed_after > 3)  # the broken image is tried again
    assert len(set(read)) == COUNT - kept
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == COUNT - kept - 1
    assert (f"continuing: {kept} of {COUNT} images are judged" in printed.err) == (kept > 0)


def test_an_interrupt_leaves_whole_records_and_the_next_start_continues(engine, models, folder, tmp_path, monkeypatch):
    run, original = describe(folder, models), batch.read_image
    last = max(folder.rglob("*.png"))

    def interrupt(file):
        if file == last:
            raise KeyboardInterrupt
        return original(file)

    monkeypatch.setattr(batch, "read_image", interrupt)
    with pytest.raises(KeyboardInterrupt):
        predict_files(engine, folder, tmp_path / "out", run)
    assert len(read_lines(tmp_path / "out")) < COUNT
    monkeypatch.undo()
    predict_files(engine, folder, tmp_path / "out", run)
    predict_files(engine, folder, tmp_path / "whole", run)
    assert read_files(tmp_path / "out") == read_files(tmp_path / "whole")


def test_a_mended_image_and_new_ones_are_judged_and_stand_in_their_places(engine, models, folder, tmp_path):
    run = describe(folder, models)
    assert predict_files(engine, folder, tmp_path / "out", run) == 1
    files = sorted(folder.rglob("*.png"))
    files[3].write_bytes(files[4].read_bytes())
    (folder / "first.png").write_bytes(files[5].read_bytes())
    assert predict_files(engine, folder, tmp_path / "out", run) == 0
    assert predict_files(engine, folder, tmp_path / "whole", run) == 0
    assert read_files(tmp_path / "out") == read_files(tmp_path / "whole")
    assert read_lines(tmp_path / "out")[0]["image"] == "first.png"


def test_results_of_another_run_are_refused_untouched_and_replaced_on_restart(engine, models, folder, tmp_path):
    out, run = tmp_path / "out", describe(folder, models)
    predict_files(engine, folder, out, run)
    before = read_files(out)
    changes = {"images": "/other", "model": "0", "device": "GPU", "precision": "bf16", "heat_maps": True}
    others = [replace(run, **{name: value}) for name, value in changes.items()]
    for other in others:
        with pytest.raises(DataError, match=r"got those of another .*--restart"):
            predict_files(engine, folder, out, other)
    with pytest.raises(DataError, match="images"):  # one image's results would replace a folder's
        predict_files(engine, min(folder.rglob("*.png")), out, run)
    assert read_files(out) == before
    predict_files(engine, folder, out, others[1], restart=True)
    after = read_files(out)
    assert after[JSON_LINES] == before[JSON_LINES]
    assert after[RUN] != before[RUN]


def test_one_images_results_are_replaced_by_the_next_ones(engine, models, folder, tmp_path):
    first, second = sorted(folder.rglob("*.png"))[:2]
    for file in (first, second, second):
        predict_files(engine, file, tmp_path / "out", describe(file, models))
        assert [line["image"] for line in read_lines(tmp_path / "out")] == [file.name]
    assert set(read_files(tmp_path / "out")) == {JSON_LINES, TABLE}


def test_an_output_inside_of_the_images_is_not_judged(engine, models, folder):
    run = describe(folder, models, heat_maps=True)
    for restart in (False, True):
        predict_files(engine, folder, folder / "predictions", run, restart)
        assert len(read_lines(folder / "predictions")) == COUNT
    with pytest.raises(DataError, match="folder of their own"):
        predict_files(engine, folder, folder, run)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_unicode_is_kept(engine, models, folder, tmp_path):
    name = b"\xff.png".decode("utf-8", "surrogateescape")
    (folder / name).write_bytes(min(folder.rglob("*.png")).read_bytes())
    sys.stdout.reconfigure(errors="backslashreplace")
    predict_files(engine, folder, tmp_path / "out", describe(folder, models))
    assert name in [line["image"] for line in read_lines(tmp_path / "out")]


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
    predict_files(engine, folder, tmp_path / "out", describe(folder, models))
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
    assert batch.load_pixels(tmp_path / "good/part.png", (64, 64)).error == str(refused.value)
