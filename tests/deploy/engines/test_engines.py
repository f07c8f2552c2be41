import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
import torch
from tiny_models import HEADER, SIDE

from efficientad.deploy.engines.core import open_core
from efficientad.deploy.engines.engine import EngineOptions, run_all
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.engines.openvino import OpenVINOEngine
from efficientad.deploy.export.onnx import write_onnx
from efficientad.deploy.export.openvino import write_openvino
from efficientad.deploy.format.graph import StationOutputs
from efficientad.deploy.format.names import IMAGE, OUTPUTS
from efficientad.deploy.predictor import predict_image
from efficientad.errors import ModelError
from efficientad.model.header import ModelHeader
from efficientad.model.saved_detector import load_detector

FILES = ["detector.safetensors", "detector.onnx", "openvino/fp32/1/model.xml", "openvino/fp16/1/model.xml"]


@pytest.mark.parametrize("file", FILES)
def test_every_engine_knows_its_model(models, file):
    assert load_engine(models / file).header == HEADER


def test_a_folder_of_the_pipeline_opens_its_fp32_ir(models):
    assert load_engine(models).header == HEADER


@pytest.mark.parametrize(("file", "tolerance"), list(zip(FILES[1:], [1e-5, 1e-4, 5e-2], strict=True)))
def test_exported_maps_and_scores_are_torchs(models, images, file, tolerance):
    maps, scores = load_engine(models / FILES[0]).run(images)
    other_maps, other_scores = load_engine(models / file).run(images)
    assert maps.shape == other_maps.shape == (3, SIDE, SIDE)
    assert np.abs(maps - other_maps).max() < tolerance
    assert np.abs(scores - other_scores).max() < tolerance


@pytest.mark.parametrize("file", FILES)
def test_score_of_size_s_is_the_maps_maximum_and_near_black_is_not_stretched(models, file):
    """Pixels are divided by 255, whatever the image's maximum is; stretched ones would score otherwise."""
    pixels = np.random.default_rng(0).integers(0, 2, (1, SIDE, SIDE, 3), dtype=np.uint8)
    engine = load_engine(models / file)
    maps, scores = engine.run(pixels)
    assert scores == pytest.approx(maps.max(axis=(1, 2)))
    detector, _ = load_detector(models / FILES[0])
    with torch.inference_mode():
        expected = detector.eval()(torch.from_numpy(pixels / 255).float().permute(0, 3, 1, 2)).anomaly_score
    tolerance = 1e-2 if "fp16" in file else 1e-4
    assert scores == pytest.approx(expected.numpy(), rel=tolerance)
    assert engine.run(pixels * 255)[1] != pytest.approx(expected.numpy(), rel=2 * tolerance)


def test_exports_have_the_same_bytes_each_time(models, tmp_path):
    detector, _ = load_detector(models / FILES[0])
    write_onnx(detector, HEADER, tmp_path / "detector.onnx")
    write_openvino(tmp_path / "detector.onnx", HEADER, tmp_path / "model.xml", fp16=False)
    assert (tmp_path / "detector.onnx").read_bytes() == (models / "detector.onnx").read_bytes()
    for suffix in (".xml", ".bin"):
        original = (models / "openvino/fp32/1/model").with_suffix(suffix)
        assert (tmp_path / "model").with_suffix(suffix).read_bytes() == original.read_bytes()


def test_onnx_file_is_valid_with_a_free_batch_and_uint8_pixels(models):
    model = onnx.load(str(models / "detector.onnx"))
    onnx.checker.check_model(model, full_check=True)
    (entry,) = model.graph.input
    assert entry.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [d.dim_param or d.dim_value for d in entry.type.tensor_type.shape.dim] == ["batch", SIDE, SIDE, 3]


def test_onnx_file_holds_the_detectors_numbers_once(models):
    """Some constants are folded, which must not leave copies of whole weights or banks behind."""
    detector, _ = load_detector(models / FILES[0])
    held = sum(int(np.prod(one.dims)) for one in onnx.load(str(models / "detector.onnx")).graph.initializer)
    assert held < sum(one.numel() for one in detector.state_dict().values()) + 1_000


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_exported_graphs_have_the_names_that_everyone_reads(models, precision):
    """And the uint8 input in its place: a station of another's making goes by these."""
    expected = ["anomaly_map", "anomaly_score", "display_score", "is_anomalous"]
    graph = onnx.load(str(models / "detector.onnx")).graph
    assert [output.name for output in graph.output] == list(OUTPUTS) == list(StationOutputs._fields) == expected
    ir = open_core().read_model(models / "openvino" / precision / "1/model.xml")
    assert [output.get_any_name() for output in ir.outputs] == expected
    assert [entry.get_any_name() for entry in ir.inputs] == [entry.name for entry in graph.input] == [IMAGE]


def test_threads_share_an_openvino_engine(models, images):
    engine = load_engine(models)
    expected = engine.run(images).scores
    with ThreadPoolExecutor(4) as threads:  # each with an array that is gone when the next one is judged
        outputs = list(threads.map(lambda index: engine.infer(images[index % 3][None].copy()), range(48)))
    for index, output in enumerate(outputs):
        assert set(output) == set(OUTPUTS)
        np.testing.assert_allclose(output["anomaly_score"], expected[index % 3 : index % 3 + 1], atol=1e-6)


def test_fp16_ir_is_half_as_large(models):
    sizes = {p: (models / "openvino" / p / "1/model.bin").stat().st_size for p in ("fp32", "fp16")}
    assert 0.45 < sizes["fp16"] / sizes["fp32"] < 0.55


def test_predict_resizes_as_training_does(models):
    from efficientad.data.images.resizing import resize_image

    photograph = np.random.default_rng(1).integers(0, 256, (90, 150, 3), dtype=np.uint8)
    engine = load_engine(models / FILES[0])
    prediction = predict_image(engine, photograph)
    assert prediction.score == pytest.approx(float(engine.run(resize_image(photograph, (SIDE, SIDE))[None])[1][0]))
    assert prediction.verdict == ("anomalous" if prediction.score > HEADER.threshold else "normal")


def test_models_that_are_missing_foreign_or_unfinished_are_refused(models, tmp_path):
    with pytest.raises(ModelError, match="found none"):
        load_engine(tmp_path / "absent.xml")
    (tmp_path / "model.txt").touch()
    with pytest.raises(ModelError, match=r"got model\.txt"):
        load_engine(tmp_path / "model.txt")
    with pytest.raises(ModelError, match="not a calibrated detector"):
        ModelHeader.parse({"size": "S"}, "somewhere")
    (tmp_path / "broken.xml").write_text("<net/>")
    with pytest.raises(ModelError, match="expected an OpenVINO IR"):
        load_engine(tmp_path / "broken.xml")
    (tmp_path / "broken.onnx").write_bytes((models / "detector.onnx").read_bytes()[:1000])
    with pytest.raises(ModelError, match="expected an ONNX model"):
        load_engine(tmp_path / "broken.onnx")


@pytest.mark.parametrize(("file", "package"), [("detector.onnx", "onnxruntime"), ("detector.safetensors", "torch")])
def test_a_runtime_that_is_not_installed_is_named(models, monkeypatch, file, package):
    monkeypatch.delitem(sys.modules, f"efficientad.deploy.engines.{package}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelError, match=f"expected the package {package} for {file}.*pip install {package}"):
        load_engine(models / file)


@pytest.mark.parametrize("hint", ["LATENCY", "THROUGHPUT"])
def test_the_queue_gives_in_order_what_single_runs_give(models, hint):
    engine = OpenVINOEngine(models / "openvino/fp32/1/model.xml", EngineOptions(hint=hint))
    rng = np.random.default_rng(1)
    batches = [rng.integers(0, 256, (size, SIDE, SIDE, 3), dtype=np.uint8) for size in (1, 2, 1, 3, 1, 1)]
    queued = list(engine.run_queue(iter(batches)))
    assert len(queued) == len(batches)
    for batch, (maps, scores) in zip(batches, queued, strict=True):
        expected_maps, expected_scores = engine.run(batch)
        np.testing.assert_allclose(maps, expected_maps, atol=1e-5)
        np.testing.assert_allclose(scores, expected_scores, atol=1e-5)


def test_an_image_can_be_judged_alone_while_the_queue_runs(models):
    engine = load_engine(models, EngineOptions(hint="THROUGHPUT"))
    rng = np.random.default_rng(1)
    fresh = (rng.integers(0, 256, (1, SIDE, SIDE, 3), dtype=np.uint8) for _ in range(20))
    for outputs in engine.run_queue(fresh):  # whose arrays are gone when they are waited for
        alone = engine.run(rng.integers(0, 256, (1, SIDE, SIDE, 3), dtype=np.uint8))
        assert alone.scores != outputs.scores


def test_a_cache_folder_keeps_the_compiled_model_and_changes_nothing(models, images, tmp_path):
    path = models / "openvino/fp32/1/model.xml"
    expected = load_engine(path).run(images)
    for _ in range(2):  # filled, then read
        outputs = load_engine(path, EngineOptions(cache=tmp_path / "cache")).run(images)
        np.testing.assert_array_equal(outputs.scores, expected.scores)
    assert list((tmp_path / "cache").iterdir())


def test_without_a_cache_folder_nothing_is_written(models, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load_engine(models / "openvino/fp32/1/model.xml").run(images)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", FILES[:3])
def test_many_batches_run_in_order_with_and_without_a_queue(models, images, file):
    engine = load_engine(models / file, EngineOptions(hint="THROUGHPUT"))
    outputs = list(run_all(engine, (image[None] for image in images)))
    expected = [engine.run(image[None]) for image in images]
    assert len({float(one.scores[0]) for one in expected}) == len(images)
    for one, other in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)


@pytest.mark.parametrize(("file", "runtime"), list(zip(FILES[:3], ["torch", "onnxruntime", "openvino"], strict=True)))
def test_an_engine_says_what_it_computes_with(models, file, runtime):
    setup = load_engine(models / file, EngineOptions(precision="f32", threads=1, streams=1)).describe()
    assert (setup.runtime, setup.precision) == (runtime, "f32")
    assert setup.device.lower() in ("cpu", "cuda")


@pytest.mark.parametrize("count", [1, 2])
def test_openvino_takes_the_threads_and_streams_that_it_is_given(models, count):
    setup = load_engine(models, EngineOptions(threads=count, streams=count, hint="THROUGHPUT")).describe()
    assert (setup.threads, setup.streams) == (count, count)


def test_a_device_that_is_not_there_is_refused_in_one_line(models):
    with pytest.raises(ModelError, match=r"the device ABSENT, whose kinds here are .*CPU") as caught:
        load_engine(models, EngineOptions(device="ABSENT"))
    assert len(str(caught.value).splitlines()) == 1
