"""Which finished teacher the stage distill takes, and what it writes of one whose error nobody published."""

import json
import runpy
import sys

import pytest
import yaml
from import_closure import ROOT

from efficientad.errors import ModelError
from efficientad.model.pdn import build_pdn
from efficientad.model.weights import load_header, save_weights
from efficientad.pipeline.params import TeacherParams
from efficientad.teacher.finished import locate_finished_teacher
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
