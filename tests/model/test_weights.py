import pytest
import torch

from efficientad.errors import ModelError
from efficientad.model.detector import Detector
from efficientad.model.pdn import build_pdn
from efficientad.model.saved_detector import load_detector
from efficientad.model.weights import load_header, load_teacher, load_weights, save_weights


def test_a_detector_comes_back_whole_from_equal_bytes(tmp_path):
    detector = Detector("S")
    for name in ("a", "b"):
        save_weights(detector, tmp_path / name, {"size": "S", "threshold": 0.5, "category": "washer"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    loaded, header = load_detector(tmp_path / "a")
    assert header == {"size": "S", "threshold": 0.5, "category": "washer"}
    assert not loaded.training
    for name, tensor in detector.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name])


def test_a_teacher_must_have_the_size_asked_for(tmp_path):
    save_weights(build_pdn("S", 384), tmp_path / "teacher", {"size": "S"})
    assert not any(p.requires_grad for p in load_teacher(tmp_path / "teacher", "S").parameters())
    with pytest.raises(ModelError, match="expected a teacher of size M"):
        load_teacher(tmp_path / "teacher", "M")


def test_files_that_are_missing_foreign_or_misfit_are_refused(tmp_path):
    with pytest.raises(ModelError, match="found no file"):
        load_header(tmp_path / "absent")
    (tmp_path / "text").write_text("no weights")
    with pytest.raises(ModelError, match="expected a safetensors file"):
        load_header(tmp_path / "text")
    save_weights(torch.nn.Linear(2, 2), tmp_path / "linear", {"size": "S"})
    with pytest.raises(ModelError, match="do not fit"):
        load_weights(build_pdn("S", 384), tmp_path / "linear")
