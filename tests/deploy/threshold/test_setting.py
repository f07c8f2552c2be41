"""A station's threshold in every file of a model: metadata and graph in step, scores and maps as they were."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import onnx
import onnxruntime
import pytest
from tiny_models import HEADER, SIDE

from efficientad.calibration.threshold.choice import choose_display_scale, fit_threshold
from efficientad.data.images.encoding import write_png
from efficientad.data.images.reading import read_image
from efficientad.deploy.engines.core import open_core
from efficientad.deploy.engines.engine import EngineOptions
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.engines.openvino import OpenVINOEngine
from efficientad.deploy.threshold.files import Origin, list_models, read_header
from efficientad.deploy.threshold.setting import choose_settings, write_settings
from efficientad.errors import DataError, ModelError

RATE = 0.2
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FILES = ["detector.onnx", "openvino/fp16/1/model.xml", "openvino/fp32/1/model.xml"]


def draw(folder, count, seed):
    """Noise of several contrasts, for scores that differ."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    for index in range(count):
        pixels = rng.integers(0, 256, (SIDE, SIDE, 3)) // (1 + index % 6)
        write_png(folder / f"{index:02}.png", pixels.astype(np.uint8))
    return {file.name: file for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("station") / "good", 12, seed=0)


@pytest.fixture(scope="module")
def station(models, good, tmp_path_factory):
    """The model with a threshold of the station's own, and what was chosen for it."""
    folder = tmp_path_factory.mktemp("station") / "model"
    shutil.copytree(models, folder)
    defects = draw(folder.parent / "defects", 6, seed=1)
    settings = choose_settings(list_models(folder), good, defects, RATE, EngineOptions())
    write_settings(folder, settings, NOW)
    return folder, settings


def test_onnx_and_each_precision_are_set_and_a_single_file_alone(models):
    assert list_models(models) == [models / file for file in FILES]
    assert list_models(models / "openvino/fp16") == [models / FILES[1]]
    for file in FILES:
        assert list_models(models / file) == [models / file]
    with pytest.raises(ModelError, match="the stage calibrate"):
        list_models(models / "detector.safetensors")
    with pytest.raises(ModelError, match="found none"):
        list_models(models / "absent")


def test_the_threshold_is_that_of_calibrate_for_each_files_own_scores(station, good):
    folder, settings = station
    pixels = np.stack([read_image(file) for file in good.values()])
    assert [setting.file for setting in settings] == [folder / file for file in FILES]
    for setting in settings:
        scores = OpenVINOEngine(setting.file).run(pixels).scores
        expected = fit_threshold(scores, RATE)
        assert setting.after.threshold == pytest.approx(expected.value, abs=1e-6)
        assert setting.after.false_alarm_rate == expected.false_alarm_rate <= RATE
        assert setting.after.display_scale == pytest.approx(choose_display_scale(scores, expected.value), abs=2e-6)
        assert setting.false_alarms_before == (scores > HEADER.threshold).sum()
        assert (setting.good.values > setting.after.threshold).sum() == 1  # 2 of 12 + 1 would be more than the rate
    assert settings[1].after.threshold != settings[2].after.threshold


@pytest.mark.parametrize("file", FILES)
def test_the_file_says_what_was_set_and_when_and_from_how_many_images(station, models, file):
    folder, settings = station
    header, origin = read_header(folder / file)
    assert header == settings[FILES.index(file)].after
    assert replace(header, threshold=0.31, false_alarm_rate=0.05, display_scale=0.4) == HEADER  # and nothing else
    assert origin == Origin("2026-03-04T05:06:07Z", 12)
    assert load_engine(folder / file).header == header
    assert read_header(models / file) == (HEADER, Origin())


@pytest.mark.parametrize("file", FILES[1:])
def test_an_ir_judges_by_it_and_scores_as_before_bit_by_bit(station, models, good, file):
    folder, settings = station
    after = settings[FILES.index(file)].after
    pixels = np.stack([read_image(name) for name in good.values()])
    outputs, before = (
        open_core().compile_model(place / file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(pixels)
        for place in (folder, models)
    )
    for name in ("anomaly_map", "anomaly_score"):
        np.testing.assert_array_equal(outputs[name], before[name])
    check_verdict(outputs["anomaly_score"], outputs["display_score"], outputs["is_anomalous"], after)


def check_verdict(scores, display_scores, verdicts, header):
    np.testing.assert_array_equal(verdicts, scores > np.float32(header.threshold))
    assert 0 < verdicts.sum() < len(verdicts)
    shown = np.clip((scores - header.threshold) / header.display_scale + 0.5, 0, 1)
    np.testing.assert_allclose(display_scores, shown, atol=1e-4)


def test_the_onnx_file_judges_by_it_and_keeps_everything_else(station, models, good):
    folder, settings = station
    onnx.checker.check_model(onnx.load(str(folder / FILES[0])), full_check=True)
    pixels = np.stack([read_image(name) for name in good.values()])
    after, before = (
        onnxruntime.InferenceSession(str(place / FILES[0])).run(None, {"image": pixels}) for place in (folder, models)
    )
    for place in range(2):
        np.testing.assert_array_equal(after[place], before[place])
    check_verdict(*after[1:], settings[0].after)
    new, old = (onnx.load(str(place / FILES[0])) for place in (folder, models))
    assert len(new.graph.node) == len(old.graph.node) - 2  # the constants that nothing reads any more
    assert [entry.key for entry in new.metadata_props][: len(old.metadata_props)] == [
        entry.key for entry in old.metadata_props
    ]


def test_the_old_xml_fits_the_new_weights(station, models, images, tmp_path):
    """Whoever reads an IR between its two renames gets the old model."""
    folder, _ = station
    for file in FILES[1:]:
        shutil.copy((folder / file).with_suffix(".bin"), tmp_path)
        shutil.copy(models / file, tmp_path)
        mixed, old = OpenVINOEngine(tmp_path / "model.xml"), OpenVINOEngine(models / file)
        assert mixed.header == old.header
        np.testing.assert_array_equal(mixed.run(images).scores, old.run(images).scores)


def test_set_again_it_is_set_anew_and_the_files_do_not_grow(station, models, good, tmp_path):
    folder, settings = station
    again = tmp_path / "model"
    shutil.copytree(folder, again)
    moved = [
        replace(one, file=again / file, after=replace(one.after, threshold=0.25, display_scale=0.5))
        for one, file in zip(settings, FILES, strict=True)
    ]
    write_settings(again, moved, NOW)
    for file in FILES:
        header, _ = read_header(again / file)
        assert (header.threshold, header.display_scale) == (0.25, 0.5)
        for suffix in (".onnx",) if file.endswith("onnx") else (".xml", ".bin"):
            sizes = [(place / file).with_suffix(suffix).stat().st_size for place in (folder, again)]
            assert abs(sizes[1] - sizes[0]) < 100
    pixels = np.stack([read_image(name) for name in good.values()])
    scores, _, verdicts = onnxruntime.InferenceSession(str(again / FILES[0])).run(None, {"image": pixels})[1:]
    np.testing.assert_array_equal(verdicts, scores > 0.25)


def test_defects_are_counted_and_set_nothing(station, models, good):
    _, settings = station
    alone = choose_settings([models / FILES[2]], good, {}, RATE, EngineOptions())
    assert (alone[0].after, alone[0].misses) == (settings[2].after, 0)
    scores = settings[2].defects.values
    assert len(scores) == 6
    assert settings[2].misses == (scores <= settings[2].after.threshold).sum() > 0


def test_too_few_images_are_refused_with_the_count_that_is_needed(models, good):
    with pytest.raises(DataError, match=r"at least 99 different good images .* 0\.01, got 12; .*-rate 0\.077"):
        choose_settings([models / FILES[2]], good, {}, 0.01, EngineOptions())


def test_copies_of_an_image_count_once_and_broken_ones_not_at_all(models, good, tmp_path, capsys):
    copies = {f"copy of {name}": file for name, file in good.items()}
    with pytest.raises(DataError, match=r"at least 19 different good images .*, got 12"):
        choose_settings([models / FILES[2]], good | copies, {}, 0.05, EngineOptions())
    (tmp_path / "cut.png").write_bytes(good["00.png"].read_bytes()[:200])
    broken = {"cut.png": tmp_path / "cut.png"}
    (setting,) = choose_settings([models / FILES[2]], good | broken, broken, RATE, EngineOptions())
    assert (setting.good.images, setting.good.skipped, setting.defects.skipped) == (12, 1, 1)
    assert capsys.readouterr().err.count("skipped   cut.png") == 2
