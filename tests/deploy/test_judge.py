"""From image files to records."""

from contextlib import contextmanager
from dataclasses import replace

import cv2
import numpy as np
import pytest
from image_folder import BROKEN, COUNT, name_all, read_files

from efficientad.data.files.budget import PixelBudget
from efficientad.data.images.reading import read_image
from efficientad.deploy import judge
from efficientad.deploy.engines.engine import EngineOptions, Outputs
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.judge import Output, judge_files
from efficientad.deploy.predictor import predict_image
from efficientad.deploy.regions import find_regions


@pytest.mark.parametrize("file", ["openvino/fp32/1/model.xml", "detector.onnx", "detector.safetensors"])
def test_a_folder_gives_the_scores_of_one_image_at_a_time(models, folder, tmp_path, file):
    one, many = load_engine(models / file), load_engine(models / file, EngineOptions(hint="THROUGHPUT"))
    files = name_all(folder)
    records = list(judge_files(many, files, Output(tmp_path)))
    assert [record["image"] for record in records] == list(files)
    assert [index for index, record in enumerate(records) if "error" in record] == [BROKEN]
    scores = []
    for file, record in zip(files.values(), records, strict=True):
        if "error" not in record:
            prediction = predict_image(one, read_image(file))
            assert record["score"] == pytest.approx(prediction.score, abs=1e-5)
            assert record["verdict"] == prediction.verdict
            assert record["display_score"] == one.header.scale_score(record["score"])
            scores.append(record["score"])
    assert len(set(scores)) == COUNT - 1


def test_records_hold_the_regions_in_the_images_pixels_and_the_files_stamp(engine, folder, tmp_path, monkeypatch):
    files, found = name_all(folder), 0
    del files[list(files)[BROKEN]]
    monkeypatch.setattr(engine, "header", replace(engine.header, threshold=0.03))
    for record in judge_files(engine, files, Output(tmp_path, maps=tmp_path)):
        file = files[record["image"]]
        raw_map = cv2.imread(str(tmp_path / record["map"]), cv2.IMREAD_UNCHANGED)
        regions = find_regions(raw_map, 0.03, read_image(file).shape[:2])
        assert [(*one["box"], one["area"], one["score"]) for one in record["regions"]] == [
            (*one.box, one.area, one.score) for one in regions
        ]
        found += len(regions)
        assert (record["bytes"], record["modified"]) == (file.stat().st_size, file.stat().st_mtime)
    assert found


def test_heat_maps_and_raw_maps_change_no_record_but_name_a_file(engine, folder, tmp_path):
    files, drawn_only = name_all(folder), ("heat_map", "map")
    plain = list(judge_files(engine, files, Output(tmp_path)))
    drawn = list(judge_files(engine, files, Output(tmp_path / "drawn", True, tmp_path / "maps")))
    assert [{key: record[key] for key in record if key not in drawn_only} for record in drawn] == plain
    for key, place in zip(drawn_only, ("drawn", "maps"), strict=True):
        written = {record[key] for record in drawn if key in record}
        assert len(written) == COUNT - 1
        assert written == set(read_files(tmp_path / place))


def test_a_raw_map_is_the_models_own_in_32_bit_floats(engine, folder, tmp_path):
    files = dict(list(name_all(folder).items())[:2])
    for record in judge_files(engine, files, Output(tmp_path, maps=tmp_path / "maps")):
        raw_map = cv2.imread(str(tmp_path / "maps" / record["map"]), cv2.IMREAD_UNCHANGED)
        expected = predict_image(engine, read_image(files[record["image"]])).anomaly_map
        assert (raw_map.dtype, raw_map.shape) == (np.float32, engine.header.image_size)
        np.testing.assert_allclose(raw_map, expected, atol=1e-5)


class Watched(PixelBudget):
    """A budget that knows how many pixels were taken out of it."""

    taken = 0

    @contextmanager
    def take(self, pixels):
        with super().take(pixels):
            self.taken += pixels
            yield
            self.taken -= pixels


def test_what_works_at_the_images_own_size_holds_its_height_times_its_width_of_the_budget(
    engine, folder, tmp_path, monkeypatch
):
    """No fewer, or memory would grow; and once at a time, or a thread would wait for itself."""
    budget, held = Watched(1), {}
    monkeypatch.setattr(judge, "_BUDGET", budget)

    def watch(name, work):
        def watched(*arguments):
            held[name] = budget.taken
            return work(*arguments)

        monkeypatch.setattr(judge, name, watched)

    works = ("resize_image", "find_regions", "fit_heat_map", "spend_on_png")
    for name in works:
        watch(name, getattr(judge, name))
    for file in (folder / "line 0/00.png", folder / "line 1/11.png"):  # one wide, one high
        held.clear()
        (record,) = judge_files(engine, {file.name: file}, Output(tmp_path / "out", heat_maps=True))
        height, width = read_image(file).shape[:2]
        assert "error" not in record
        assert held == dict.fromkeys(works, height * width)
        assert budget.taken == 0


class Overflowing:
    """An engine that gives one pixel or the score of every second image no number."""

    def __init__(self, engine, value, place):
        self.engine, self.value, self.place, self.header, self.count = engine, value, place, engine.header, 0

    def run(self, images):
        maps, scores = self.engine.run(images)
        self.count += 1
        if self.count % 2:
            (maps[:, 5, 5:6] if self.place == "map" else scores)[:] = self.value
        return Outputs(maps, scores)


@pytest.mark.parametrize("place", ["map", "score"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_is_an_error_of_its_image_and_no_verdict(engine, folder, tmp_path, value, place):
    files = {name: file for name, file in name_all(folder).items() if name.startswith("line 0")}
    del files[list(files)[BROKEN]]
    output = Output(tmp_path / "out", True, tmp_path / "maps")
    records = list(judge_files(Overflowing(engine, value, place), files, output))
    assert ["error" in record for record in records] == [True, False, True, False, True]
    for record in records[::2]:
        assert set(record) == {"image", "error"}
        assert "expected a finite score and map" in record["error"]
    assert len(read_files(tmp_path / "out")) == len(read_files(tmp_path / "maps")) == 2
