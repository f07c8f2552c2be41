"""The stages fit and calibrate, run on a small product: which images may change what."""

import dataclasses
import json
import runpy
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from import_closure import ROOT
from tiny_models import build_tiny

from efficientad.calibration.bank_weights import choose_weights
from efficientad.calibration.threshold.scores import read_scores
from efficientad.data.arrays.prepared import IMAGES, MANIFEST, REGION, load_prepared, write_manifest
from efficientad.data.arrays.samples import Sample
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.prepare import write_prepared
from efficientad.data.datasets.splits import SplitPlan
from efficientad.model.header import ModelHeader
from efficientad.model.saved_detector import load_detector
from efficientad.model.weights import load_header, save_weights
from efficientad.pipeline.layout import PRETRAINING, Item, locate_prepared

ITEMS = [Item("S", "disc", 0), Item("L", "disc", 0)]
FIT = {"banks": {"S": ["coarse"], "M": [], "L": ["detail", "fine", "coarse"]},
       "bank_patches": {"detail": 50, "fine": 60, "coarse": 40}}  # fmt: skip


class Noise(DatasetProvider):
    """Smooth noise: 8 training, 9 held-out and 4 test images, the last two with a bright square."""

    def list_samples(self):
        names = [("train", "good", 8), ("validation", "good", 9), ("test", "good", 2), ("test", "scratch", 2)]
        return [Sample(f"{split}/{kind}/{i}", split, kind) for split, kind, count in names for i in range(count)]

    def load_image(self, sample):
        rng = np.random.default_rng([ord(letter) for letter in sample.name])
        image = np.kron(rng.integers(80, 120, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        image[24:40, 24:40] += np.uint8(100 * sample.label)
        return image

    def load_mask(self, sample):
        mask = np.zeros((64, 64), np.bool_)
        mask[24:40, 24:40] = sample.label == 1
        return mask


@pytest.fixture(scope="module", params=ITEMS, ids=lambda item: item.size)
def item(request):
    return request.param


@pytest.fixture(scope="module")
def trained(item, tmp_path_factory):
    """A project's folder as `train` leaves it."""
    folder = tmp_path_factory.mktemp("trained")
    tree = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    tree["fit"] |= FIT
    tree["calibrate"] = {"threshold": "rate", "false_alarm_rate": 0.1}
    tree |= {"categories": ["disc"], "category": {"disc": {}}}
    (folder / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    write_prepared(Noise(), folder / locate_prepared("disc"), (64, 64), SplitPlan(0.5, 0.5, 0), raw_samples=2)
    (folder / PRETRAINING).mkdir(parents=True)
    np.save(folder / PRETRAINING / IMAGES, np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8))
    write_manifest(folder / PRETRAINING / MANIFEST, {"size": 64, "rows": [{"photograph": str(i)} for i in range(3)]})
    save_weights(build_tiny(item.size), folder / item.student, {"size": item.size, "shared_convolutions": 0})
    return folder


def run_stage(stage, item, patch):
    patch.setattr("sys.argv", [f"{stage}.py", *item.name.split("/")])
    runpy.run_path(str(ROOT / "stages" / f"{stage}.py"))["main"]()


@pytest.fixture(scope="module")
def fitted(trained, item):
    """The same after `fit`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(trained)
        run_stage("fit", item, patch)
    return trained


@pytest.fixture
def project(fitted, item, tmp_path, monkeypatch):
    """A copy that a test may change."""
    root = tmp_path / "project"
    shutil.copytree(fitted, root)
    monkeypatch.chdir(root)

    def run(*stages, item=item):
        for stage in stages:
            run_stage(stage, item, monkeypatch)

    def calibrate(**values):
        tree = yaml.safe_load((root / "params.yaml").read_text("utf-8"))
        tree["calibrate"] |= values
        (root / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
        run("calibrate")
        return ModelHeader.parse(load_header(item.detector), item.detector)

    def replace_images(split, value):
        images = np.lib.format.open_memmap(locate_prepared("disc") / "images.npy", mode="r+")
        images[load_prepared(locate_prepared("disc")).indices(split)] = value
        images.flush()

    return SimpleNamespace(run=run, calibrate=calibrate, replace_images=replace_images, item=item)


def list_banks(item):
    """Scale and patches of each memory bank that `FIT` asks for."""
    return [(scale, FIT["bank_patches"][scale]) for scale in FIT["banks"][item.size]]


def test_the_fitted_detector_has_the_banks_that_were_asked_for_with_shares_chosen_for_the_product(project):
    detector, header = load_detector(project.item.fitted)
    found = json.loads(project.item.locate_metrics("fit").read_text("utf-8"))["banks"]
    unexplained = found.pop("unexplained")
    assert list(found) == FIT["banks"][project.item.size]
    kept = [(scale, patches) for scale, patches in list_banks(project.item) if found[scale] > 0]
    assert detector.describe_banks() == kept
    assert header["memory_banks"] == [list(one) for one in kept]
    assert [one for one in found.values() if one > 0] == pytest.approx(
        detector.backbone_banks.weights.tolist(), abs=1e-4
    )
    assert sum(found.values()) == pytest.approx(1, abs=1e-3)
    if project.item.size == "L":  # images without anything in common: the coarse bank counts more than the least
        assert 0.33 < unexplained < 1
        assert [*found.values()] == pytest.approx(choose_weights([*found], unexplained), abs=1e-3)
    else:
        assert (unexplained, found) == (0, {"coarse": 1})


def test_the_items_seed_chooses_the_patches(project):
    other = dataclasses.replace(project.item, seed=1)
    other.student.parent.mkdir(parents=True)
    shutil.copy(project.item.student, other.student)
    project.run("fit", item=other)
    first, second = (load_detector(item.fitted)[0].backbone_banks for item in (project.item, other))
    for one, two in zip(first.banks, second.banks, strict=True):
        assert one.patches.shape == two.patches.shape
        assert not torch.equal(one.patches, two.patches)


def read_outputs(item):
    return [path.read_bytes() for path in (item.fitted, item.scores, item.detector)]


def test_the_test_split_changes_nothing(project):
    project.run("calibrate")
    expected = read_outputs(project.item)
    project.replace_images("test", 255)
    project.run("fit", "calibrate")
    assert read_outputs(project.item) == expected


def test_held_out_images_change_their_scores_and_neither_banks_nor_quantiles(project):
    expected, scores = project.item.fitted.read_bytes(), read_scores(project.item.scores)
    rng = np.random.default_rng(1)
    project.replace_images("validation", rng.integers(60, 140, (9, 64, 64, 3), dtype=np.uint8))
    project.run("fit")
    assert project.item.fitted.read_bytes() == expected
    changed = read_scores(project.item.scores)
    assert changed.kinds.tolist() == scores.kinds.tolist()
    assert np.isclose(changed.scores, scores.scores).mean() < 0.2


def test_training_images_set_the_quantiles(project):
    before, _ = load_detector(project.item.fitted)
    rng = np.random.default_rng(1)
    project.replace_images("train", rng.integers(60, 140, (8, 64, 64, 3), dtype=np.uint8))
    project.run("fit")
    after, _ = load_detector(project.item.fitted)
    assert not torch.isclose(before.quantiles, after.quantiles).any()


def test_a_region_of_interest_bounds_quantiles_and_map(project):
    everything, header = load_detector(project.item.fitted)
    assert header["region"] is False
    region = np.zeros((64, 64), np.bool_)
    region[20:44, 20:30] = True
    np.save(locate_prepared("disc") / REGION, region)
    project.run("fit")
    bounded, header = load_detector(project.item.fitted)
    assert header["region"] is True
    assert not torch.isclose(bounded.quantiles, everything.quantiles).all()
    images = torch.from_numpy(np.array(load_prepared(locate_prepared("disc")).images[:4])).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        maps = bounded.eval()(images).anomaly_map.numpy()
    assert (maps[:, 0, ~region] == 0).all()
    assert maps[:, 0, region].any()


def test_the_scores_are_those_of_the_detector_on_held_out_images(project):
    project.run("calibrate")
    table, (detector, _) = read_scores(project.item.scores), load_detector(project.item.detector)
    prepared = load_prepared(locate_prepared("disc"))
    held_out = prepared.indices("validation")
    assert table.good_parts.tolist() == [prepared.rows[index].name for index in held_out]
    with torch.inference_mode():
        images = torch.from_numpy(prepared.images[held_out]).permute(0, 3, 1, 2) / 255
        np.testing.assert_allclose(table.good, detector(images).anomaly_score, rtol=1e-5)


def test_another_rate_or_policy_needs_no_image(project):
    for folder in (locate_prepared("disc"), PRETRAINING):
        shutil.rmtree(folder)
    good = np.sort(read_scores(project.item.scores).good)
    for rate, rank in ((0.1, 9), (0.2, 8), (0.5, 5)):
        header = project.calibrate(false_alarm_rate=rate)
        assert header.threshold == good[rank - 1]
        assert header.false_alarm_rate == pytest.approx(1 - rank / 10)
    assert project.calibrate(threshold="margin").threshold >= header.threshold
