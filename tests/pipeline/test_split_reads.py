"""Which images each stage reads: what is learnt or chosen never comes from the test split.

The stages run on a small product whose array of images notes each row that is read.
"""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from import_closure import ROOT
from tiny_models import BANKS, HEADER, SIDE, build_tiny

from efficientad.data.arrays import prepared as prepared_module
from efficientad.data.arrays import pretraining as pretraining_module
from efficientad.data.arrays.prepared import MANIFEST, Prepared, PreparedRow
from efficientad.data.arrays.pretraining import Pretraining
from efficientad.deploy.export import comparison, models
from efficientad.deploy.export.int8.choice import Choice
from efficientad.deploy.format.files import locate_ir
from efficientad.model.weights import save_weights
from efficientad.pipeline.layout import PRETRAINING, Item, locate_prepared, locate_teacher
from efficientad.training.detection import detector as training

SPLITS = ["test", "train", "validation", "train", "test", "validation", "train", "test"]
ITEM = Item("S", "washer", 0)


class Watched(np.ndarray):
    """Images (N, H, W, 3) that note the rows which are read."""

    def __getitem__(self, key):
        if self.ndim == 4:
            rows = key[0] if isinstance(key, tuple) else key
            READ.update(np.atleast_1d(np.arange(len(self))[rows]).tolist())
        return np.asarray(self)[key]


READ: set[int] = set()


def list_read():
    """The splits of the rows that were read since the last call."""
    splits = {SPLITS[row] for row in READ}
    READ.clear()
    return splits


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with params and a calibrated detector; `load_prepared` gives the watched images."""
    monkeypatch.chdir(tmp_path)
    tree = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    tree |= {"categories": ["washer"], "category": {"washer": {}}}
    tree["fit"]["banks"]["S"], tree["fit"]["bank_patches"]["coarse"] = ["coarse"], 20
    tree["export"] |= {"precisions": ["fp32", "int8"]}
    Path("params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (len(SPLITS), SIDE, SIDE, 3), dtype=np.uint8)
    rows = tuple(
        PreparedRow(f"{split}/{n}", split, int(n == 7), "dent" if n == 7 else "good", True, str(n), SIDE, SIDE)
        for n, split in enumerate(SPLITS)
    )
    masks = np.zeros(images.shape[:3], bool)
    masks[7, 20:30, 20:30] = True
    prepared = Prepared(rows, images.view(Watched), masks, (SIDE, SIDE), None, (), ())
    photographs = Pretraining(rng.integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8), ("a", "b"))
    monkeypatch.setattr(prepared_module, "load_prepared", lambda _: prepared)
    monkeypatch.setattr(pretraining_module, "load_pretraining", lambda _: photographs)
    header = HEADER.describe() | {"memory_banks": BANKS, "shared_convolutions": 0, "region": False}
    for path in (ITEM.student, ITEM.fitted, ITEM.detector):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_weights(build_tiny("S", BANKS), path, header)

    def run(stage):
        READ.clear()
        monkeypatch.setattr("sys.argv", [f"{stage}.py", *ITEM.name.split("/")])
        runpy.run_path(str(ROOT / "stages" / f"{stage}.py"))["main"]()
        return list_read()

    return SimpleNamespace(run=run, prepared=prepared, images=np.asarray(images))


def find_rows(images, project):
    """The splits of images that are some of the product's, and how many are of none."""
    found = [[row for row, one in enumerate(project.images) if np.array_equal(one, image)] for image in images]
    return {SPLITS[rows[0]] for rows in found if rows}, sum(not rows for rows in found)


def test_what_watches_notes_a_row_however_it_is_read(project):
    images = project.prepared.images
    for key, splits in ((1, {"train"}), (np.array([2, 5]), {"validation"}), (slice(0, 2), {"test", "train"})):
        READ.clear()
        assert np.array_equal(images[key], project.images[key])
        assert list_read() == splits


def test_training_reads_training_images_alone(project, monkeypatch):
    given = []

    def train_detector(_size, _teacher, data, *_):
        given.append(data)
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train_detector", train_detector)
    monkeypatch.setattr("efficientad.model.weights.load_teacher", lambda *_: None)
    for file in (locate_prepared("washer") / MANIFEST, PRETRAINING / MANIFEST, locate_teacher("S")):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")  # read for nothing but its hash
    with pytest.raises(KeyboardInterrupt):
        project.run("train")
    assert {SPLITS[row] for row in given[0].normals} == {"train"}
    assert len(given[0].normals) == 3


def test_banks_and_quantiles_are_of_training_images_scores_of_held_out_ones_and_the_threshold_of_the_scores(
    project, monkeypatch
):
    """The header, with the hash of the images, is made between the quantiles and the scores."""
    read_before = []
    hash_normals = prepared_module.hash_normals
    monkeypatch.setattr(
        prepared_module, "hash_normals", lambda one: (read_before.append(list_read()), hash_normals(one))[1]
    )
    assert project.run("fit") == {"validation"}
    assert read_before == [{"train"}]
    tree = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    tree["calibrate"] = {"threshold": "rate", "false_alarm_rate": 0.4}
    Path("params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    assert project.run("calibrate") == set()


def test_eight_bits_are_fitted_to_training_images_and_chosen_on_held_out_ones(project, monkeypatch):
    """Everything is written before a test image is read: those measure the written files against one another."""
    given, read_before = [], []

    def write_int8(_xml, _header, _path, normals, trial, _allowed):
        given.append((normals.ranges, list(normals.banks), trial))
        return Choice("first", {}, {})

    def compare_models(_reference, exported, *_):
        read_before.append(list_read())
        assert set(exported) == {"onnx_fp32", "openvino_fp32", "openvino_int8"}
        return {}

    monkeypatch.setattr(models, "write_int8", write_int8)
    monkeypatch.setattr(comparison, "compare_models", compare_models)
    project.run("export")
    assert locate_ir(ITEM.models, "fp32").is_file()
    assert read_before == [{"train", "validation"}]
    ((ranges, banks, trial),) = given
    assert find_rows(ranges, project) == ({"train"}, 0)
    assert find_rows(banks, project) == ({"train"}, 0)
    assert find_rows(trial.images[trial.kinds == "good"], project) == ({"validation"}, 0)
    assert set(trial.parts) == {"validation/2", "validation/5"}


def test_evaluation_reads_the_test_split_alone(project):
    assert project.run("evaluate") == {"test"}
    assert "image_auroc" in json.loads(ITEM.locate_metrics("evaluate").read_text("utf-8"))["metrics"]
