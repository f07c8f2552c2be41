"""A model is used only as it was written: no bit of its files changes unnoticed."""

import shutil

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from tiny_graph import write_tiny_ir
from tiny_models import HEADER

from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.format.metadata import describe_model
from efficientad.deploy.format.model_file import read_model_file
from efficientad.deploy.format.sealing import seal_ir, seal_onnx
from efficientad.errors import ModelError
from efficientad.model.checksum import UNSEALED
from efficientad.model.weights import load_header, load_state, save_weights

FLIPS = 200
FILES = ["model.xml", "model.bin", "detector.onnx", "detector.safetensors"]
DAMAGED = "that states its checksum, found none|that it states, got|cut short"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A model in each format, of some kilobytes."""
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny_ir(folder / "model.xml")
    torch.manual_seed(0)
    save_weights(torch.nn.Linear(20, 20), folder / "detector.safetensors", HEADER.describe())
    scores = helper.make_tensor_value_info("anomaly_score", TensorProto.FLOAT, [20])
    constant = helper.make_tensor("weights", TensorProto.FLOAT, [20], np.linspace(0, 1, 20))
    node = helper.make_node("Identity", ["weights"], ["anomaly_score"])
    model = helper.make_model(helper.make_graph([node], "tiny", [], [scores], [constant]))
    for key, value in ({"checksum": UNSEALED} | describe_model(HEADER)).items():
        model.metadata_props.add(key=f"model_info {key}", value=value)
    (folder / "detector.onnx").write_bytes(seal_onnx(model.SerializeToString()))
    return folder


@pytest.fixture
def copy(tiny, tmp_path):
    shutil.copytree(tiny, tmp_path / "copy")
    return tmp_path / "copy"


def read(path):
    """Return what a file says of itself, its checksum checked; `path` may be an IR's .bin."""
    if path.suffix == ".safetensors":
        return load_header(path)
    return read_model_file(path.with_suffix(".xml") if path.suffix == ".bin" else path).header


def flip(content, place):
    """Return the content with one bit turned round."""
    flipped = bytearray(content)
    flipped[place // 8] ^= 1 << place % 8
    return bytes(flipped)


def test_what_is_whole_is_read(tiny):
    for name in FILES[:3]:
        assert read(tiny / name) == HEADER
    assert read(tiny / "detector.safetensors") == HEADER.describe()
    assert load_engine(tiny / "model.xml").header == HEADER


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_anywhere_is_refused(copy, name):
    """The first and the last as well, and all where the checksum stands: those are read before it is known."""
    content = (copy / name).read_bytes()
    places = {0, 8 * len(content) - 1, *map(int, np.random.default_rng(0).integers(0, 8 * len(content), FLIPS))}
    for text in (b"checksum", b"weights_bytes"):
        if (begin := content.find(text)) > 1:
            places |= set(range(8 * (begin - 2), 8 * (begin + 40)))
    for place in places:
        (copy / name).write_bytes(flip(content, place))
        with pytest.raises(ModelError, match=DAMAGED):
            read(copy / name)
    (copy / name).write_bytes(content)
    read(copy / name)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_a_file_that_is_cut_short_is_refused(copy, name, share):
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelError, match=DAMAGED):
        read(copy / name)


def test_weights_of_another_model_are_refused(copy):
    """Of the same length, so that every place in them fits."""
    content = (copy / "model.bin").read_bytes()
    (copy / "model.bin").write_bytes(content[::-1])
    with pytest.raises(ModelError, match=r"the checksum \w{16} that it states, got \w{16}: it is damaged"):
        load_engine(copy / "model.xml")
    (copy / "model.bin").unlink()
    with pytest.raises(ModelError, match=r"expected the weights of model\.xml at .*model\.bin, got No such file"):
        load_engine(copy / "model.xml")


@pytest.mark.parametrize("name", ["openvino/fp32/1/model.xml", "detector.onnx"])
def test_a_model_from_before_checksums_is_refused_with_what_to_do(models, tmp_path, name):
    file = tmp_path / name.rsplit("/", 1)[-1]
    shutil.copy(models / name, file)
    if file.suffix == ".xml":
        shutil.copy((models / name).with_suffix(".bin"), tmp_path)
        file.write_text(file.read_text("utf-8").replace("<checksum ", "<check "), "utf-8")
    else:
        model = onnx.load(str(file))
        del model.metadata_props[0]
        onnx.save(model, str(file))
    with pytest.raises(ModelError, match=r"states its checksum, found none.*earlier version.*`dvc repro export`"):
        load_engine(file)


@pytest.mark.parametrize("name", ["openvino/fp16/1/model.bin", "detector.onnx", "detector.safetensors"])
def test_no_engine_takes_a_damaged_model(models, tmp_path, name):
    """One bit in the middle of the weights, which moves scores a little."""
    for file in (models / name).parent.glob("*.*"):
        shutil.copy(file, tmp_path)
    damaged = tmp_path / name.rsplit("/", 1)[-1]
    content = damaged.read_bytes()
    damaged.write_bytes(flip(content, 4 * len(content)))
    with pytest.raises(ModelError, match="it is damaged or was changed"):
        load_engine(damaged.with_suffix(".xml") if damaged.suffix == ".bin" else damaged)


def test_a_header_that_its_graph_contradicts_is_refused(copy):
    text = (copy / "model.xml").read_text("utf-8").replace('image_size value="64 64"', 'image_size value="64 128"')
    (copy / "model.xml").write_bytes(seal_ir(text, (copy / "model.bin").read_bytes()))
    with pytest.raises(ModelError, match=r"expected pixels of image_size 64 128 in .*, got \[None, 64, 64, 3\]"):
        load_engine(copy / "model.xml")


def test_a_number_that_is_none_is_not_written(copy):
    path = copy / "detector.safetensors"
    assert set(load_state(path)[0]) == {"weight", "bias"}
    with pytest.raises(ModelError, match="expected finite numbers"):
        save_weights(torch.nn.Linear(2, 2), path, {"threshold": float("nan")})
    assert load_header(path) == HEADER.describe()
