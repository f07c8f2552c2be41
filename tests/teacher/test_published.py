"""Weights in either published layout become a teacher of ours, bit for bit; whatever does not fit is named."""

import pickle
import re

import pytest
import torch
from published_layouts import CONVOLUTIONS, Numbered, dump, load_shipped, number_names, pack_release

from efficientad.errors import ModelError
from efficientad.model.normaliser import ImageNormaliser
from efficientad.model.weights import load_header, load_teacher
from efficientad.teacher.published import build_published, convert_published, read_state

SIZES = tuple(CONVOLUTIONS)
MEMBERS = {"S": "pretrained_teacher_small.pth", "M": "pretrained_teacher_medium.pth"}


def convert(path, content, size, member=None):
    path.write_bytes(content)
    return convert_published(path, member, path.with_name("teacher.safetensors"), {"size": size, "published": "here"})


@pytest.mark.parametrize("size", SIZES)
def test_either_layout_comes_back_bit_for_bit_and_gives_the_features_of_its_own_network(tmp_path, size):
    shipped = load_shipped(size)
    numbered = number_names(shipped, size)
    named = convert(tmp_path / "named.pth", dump(shipped), size)
    written = named.read_bytes()
    packed = convert(tmp_path / "packed.zip", pack_release({size: numbered}), size, MEMBERS[size])
    assert packed.read_bytes() == written
    assert load_header(packed) == {"size": size, "published": "here"}
    teacher = load_teacher(packed, size)
    assert all(torch.equal(value, shipped[name]) for name, value in teacher.state_dict().items())
    network = Numbered(size).eval()
    network.load_state_dict(numbered)
    image = torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        features = teacher(ImageNormaliser()(image))
        assert features.shape == (2, 384, 8, 4)
        assert torch.equal(features, network(image))
        assert not torch.equal(features, network(ImageNormaliser()(image)))  # normalised twice, it would not fit
    assert not list(tmp_path.glob("*.part"))


class Code:
    """What a hostile pickle holds."""

    def __reduce__(self):
        return (eval, ("__import__('pathlib').Path('ran').touch()",))


@pytest.mark.parametrize(
    "content",
    [
        dump({"0.weight": Code()}),
        pickle.dumps({"0.weight": Code()}, protocol=2),
        b"<html>404</html>",
        b"",
        dump({})[:-100],
    ],
    ids=["code", "bare code", "text", "nothing", "a cut"],
)
def test_a_file_with_code_or_without_tensors_is_refused_and_nothing_runs_or_is_written(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"expected tensors and nothing else in .*a\.pth"):
        convert(tmp_path / "a.pth", content, "S")
    assert [file.name for file in tmp_path.iterdir()] == ["a.pth"]


@pytest.mark.parametrize("content", [torch.zeros(3), {"0.weight": 3}, [torch.zeros(3)]])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "a.pth").write_bytes(dump(content))
    with pytest.raises(ModelError, match="expected names and tensors"):
        read_state(tmp_path / "a.pth")


def test_an_archive_without_the_size_or_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(pack_release({"S": {}}))
    with pytest.raises(
        ModelError, match=r"expected one pretrained_teacher_medium\.pth in .*a\.zip, found .*small\.pth"
    ):
        read_state(tmp_path / "a.zip", MEMBERS["M"])
    (tmp_path / "a.zip").write_bytes(b"no archive")
    with pytest.raises(ModelError, match=r"expected tensors and nothing else in .*a\.zip"):
        read_state(tmp_path / "a.zip", MEMBERS["M"])


@pytest.mark.parametrize(("layout", "name"), [(lambda state, _: state, "8.bias"), (number_names, "conv4.bias")])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state, name: state.pop(name), "{} is missing"),
        (lambda state, name: state.update({name: torch.zeros(7)}), r"{} is \(7,\), not \(384,\)"),
        (lambda state, name: state.update({"mean": torch.zeros(1)}), "mean is unknown"),
    ],
)
def test_what_does_not_fit_is_named_as_the_file_names_it(tmp_path, layout, name, change, message):
    state = layout(load_shipped("S"), "S")
    change(state, name)
    expected = f"a teacher of size S in .*a.pth: {message.format(re.escape(name))}$"
    with pytest.raises(ModelError, match=expected):
        build_published(state, "S", tmp_path / "a.pth")


def test_the_other_size_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"a teacher of size M .*10\.weight is missing.*0\.weight is \(128, 3, 4, 4\)"):
        build_published(load_shipped("S"), "M", tmp_path / "a.pth")
