"""Which finished teacher the stage distill takes, and what it writes of one whose error nobody published."""

import json
import runpy
import sys

import pytest
import torch
import yaml
from import_closure import ROOT

from efficientad.errors import ModelError
from efficientad.model.pdn import build_pdn
from efficientad.model.saved_detector import load_detector
from efficientad.model.weights import load_header, save_weights
from efficientad.pipeline.params import TeacherParams
from efficientad.teacher.finished import locate_finished_teacher
from efficientad.teacher.lite_weights import load_efficientnet_lite
from efficientad.teacher.shipped import locate_shipped_teacher

HEADER = {"size": "S", "backbone": "wide_resnet101_2", "steps": 60_000, "batch_size": 16, "published": "there"}


@pytest.fixture
def published(tmp_path):
    save_weights(build_pdn("S", 384), tmp_path / "teachers/S.safetensors", HEADER)
    return tmp_path / "teachers"


def test_each_source_has_its_place(published):
    file = published / "S.safetensors"
    for params, expected in {
        TeacherParams("shipped", None): locate_shipped_teacher("S"),
        TeacherParams("file", str(file)): file,
        TeacherParams("published", str(published)): file,
        TeacherParams("published", str(file)): file,
    }.items():
        assert locate_finished_teacher("S", params) == expected


@pytest.mark.parametrize("name", ["", "M.safetensors"])
def test_a_published_teacher_that_is_missing_names_the_download(published, name):
    with pytest.raises(ModelError, match=f"efficientad download teacher --size M --output {published}$"):
        locate_finished_teacher("M", TeacherParams("published", str(published / name)))


def test_a_teacher_of_our_own_is_no_published_one():
    path = str(locate_shipped_teacher("S"))
    with pytest.raises(ModelError, match=r"expected a published teacher at .*set teacher\.source: file"):
        locate_finished_teacher("S", TeacherParams("published", path))


@pytest.mark.parametrize("source", ["published", "file"])
def test_the_stage_takes_it_over_and_makes_no_error_up(published, monkeypatch, capsys, source):
    tree = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    path = published if source == "published" else published / "S.safetensors"
    tree["teacher"] = {"source": source, "path": str(path)}
    project = published.parent
    (project / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", ["stages/distill.py", "S"])
    runpy.run_path(str(ROOT / "stages/distill.py"), run_name="__main__")
    assert "teacher S: mean squared error on held-out images unknown" in capsys.readouterr().out
    written = project / "models/S/teacher.safetensors"
    assert written.read_bytes() == (published / "S.safetensors").read_bytes()
    assert load_header(written) == HEADER
    figures = json.loads((project / "metrics/distill/S/distill.json").read_text("utf-8"))
    assert figures == {"source": source, **HEADER}


def test_of_size_l_the_stages_hand_on_the_packages_backbone(tmp_path, monkeypatch, capsys):
    """Whatever teacher.source says; `train` needs no image of a size that trains nothing."""
    for name in ("params.yaml", "recipes/paper.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    for arguments in (["stages/distill.py", "L"], ["stages/train.py", "L", "washer", "0"]):
        monkeypatch.setattr(sys, "argv", arguments)
        runpy.run_path(str(ROOT / arguments[0]), run_name="__main__")
    assert "teacher L: mean squared error on held-out images none: it is the backbone" in capsys.readouterr().out
    expected = load_efficientnet_lite(0).state_dict()
    detector, header = load_detector(tmp_path / "models/L/washer/0/student.safetensors")
    assert header == {"size": "L"}
    assert detector.list_branches() == []
    for name, tensor in detector.backbone_banks.backbone.state_dict().items():
        assert torch.equal(tensor, expected[name]), name
    figures = json.loads((tmp_path / "metrics/distill/L/distill.json").read_text("utf-8"))
    assert figures == {"source": "package", "size": "L", "backbone": "efficientnet_lite0"}
    for table in ("metrics/distill/L/losses.csv", "metrics/report/L/washer/0/losses.csv"):
        assert (tmp_path / table).read_text("utf-8").startswith("step,loss")
