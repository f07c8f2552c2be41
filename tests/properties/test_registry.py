"""A released model, from the commit that trained it to a folder on a station."""

import shutil

import pytest
from clone import Clone

pytestmark = [pytest.mark.property, pytest.mark.long]


@pytest.fixture
def released(finished, tmp_path) -> Clone:
    """A project whose detector has a version, and is meant for production."""
    clone = Clone(finished, tmp_path / "released")
    clone.dvc("remote", "add", "--default", "store", str(tmp_path / "store"))
    clone.commit("remote")
    clone.dvc("push", "-q")
    clone.run("gto", "register", "detector", "--version", "v1.0.0")
    clone.run("gto", "assign", "detector", "--version", "v1.0.0", "--stage", "prod")
    return clone


@pytest.mark.parametrize("which", [("--rev", "v1.0.0"), ("--stage", "prod")])
def test_a_released_model_comes_by_its_version_and_by_its_stage(released, tmp_path, which):
    first = (released.root / "models/L/disc/0/openvino/fp32/1/model.xml").read_bytes()
    retrain(released)
    command = ("artifacts", "get", str(released.root), "detector", *which, "--out", str(tmp_path / "station"))
    released.dvc(*command)
    assert (tmp_path / "station/fp32/1/model.xml").read_bytes() == first


def retrain(clone: Clone) -> None:
    """Commit another model, which is not released."""
    clone.change_params(lambda tree: tree["calibrate"].update(false_alarm_rate=0.5))
    clone.dvc("repro", "-q", "export@L-disc-0")
    clone.commit("another threshold")
    clone.dvc("push", "-q")


def test_the_station_judges_by_what_it_got(released, tmp_path):
    released.dvc("artifacts", "get", str(released.root), "detector", "--out", str(tmp_path / "model/openvino"))
    images = tmp_path / "images"
    shutil.copytree(released.root / "data/raw/disc/good", images)
    printed = released.run("efficientad", "predict", str(images), "--model", str(tmp_path / "model"),
                           "--output", str(tmp_path / "predictions"))  # fmt: skip
    assert "000.png" in printed


def test_the_registry_shows_versions_and_stages(released):
    assert "v1.0.0" in (shown := released.run("gto", "show"))
    assert "prod" in shown
