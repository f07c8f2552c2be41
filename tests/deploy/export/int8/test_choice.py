from dataclasses import replace
from types import MappingProxyType

import nncf
import numpy as np
import pytest
from int8_data import IMAGES, NORMALS, TRIAL
from tiny_models import HEADER

from efficientad.calibration.threshold.scores import read_scores
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.engines.openvino import OpenVINOEngine
from efficientad.deploy.export.int8.accuracy import Accuracy
from efficientad.deploy.export.int8.choice import (
    Allowed,
    Choice,
    Normals,
    fit_header,
    refuse,
    select_scores,
    write_int8,
)
from efficientad.deploy.export.int8.drift import Drift, measure_drift
from efficientad.deploy.export.int8.quantise import KEPT

CHOICE = "efficientad.deploy.export.int8.choice"
ALLOWED = Allowed(0.005, 0.01, 1.0, 1000.0, 0.3)
IMAGES_OF_TRAINING = Normals(NORMALS, NORMALS)


@pytest.fixture
def candidates(quantise_once, monkeypatch):
    """What `write_int8` asks to be quantised, in its order."""
    asked = []

    def quantise(_xml, _images, kept, patches=MappingProxyType({})):
        asked.append((kept, len(patches)))
        return quantise_once(kept)

    monkeypatch.setattr(f"{CHOICE}.quantise", quantise)
    return asked


def test_the_first_candidate_that_keeps_the_accuracy_is_written(float_xml, candidates, tmp_path, monkeypatch):
    accuracies = iter([(0.95, 0.9), (0.80, 0.9), (0.948, 0.895)])  # float, then a candidate each
    monkeypatch.setattr(f"{CHOICE}.measure_accuracy", lambda *_: Accuracy(*next(accuracies)))
    choice = write_int8(float_xml, HEADER, tmp_path / "1/model.xml", IMAGES_OF_TRAINING, TRIAL, ALLOWED)
    assert choice.kept == "first block"
    assert choice.auroc_drops == pytest.approx({"first": 0.15, "first block": 0.002})
    assert choice.au_pro_drops == pytest.approx({"first": 0.0, "first block": 0.005})
    # Each is made once, the chosen one, too: first as it is, then with the one bank of what the first one computes.
    assert candidates == [(("first",), 0), (("first",), 1), (("first", "block"), 0), (("first", "block"), 1)]
    assert load_engine(tmp_path).header.category == HEADER.category


def test_it_has_a_threshold_of_its_own_in_its_header_and_in_its_graph(float_xml, tmp_path, monkeypatch):
    path, nncf_quantize, graphs = tmp_path / "model.xml", nncf.quantize, []
    monkeypatch.setattr(nncf, "quantize", lambda model, *rest, **options: [
        graphs.append([output.get_any_name() for output in model.outputs]), nncf_quantize(model, *rest, **options)
    ][1])  # fmt: skip
    write_int8(float_xml, HEADER, path, IMAGES_OF_TRAINING, TRIAL, Allowed(1, 1, 1, 2, 0.3))
    assert graphs == [["anomaly_map", "anomaly_score"]] * 2
    engine = OpenVINOEngine(path)
    scores = engine.run(IMAGES).scores
    assert engine.header.threshold == pytest.approx(float(scores[:19].max()), abs=1e-5)  # 19 images, rate 0.05
    assert engine.header.false_alarm_rate == pytest.approx(HEADER.false_alarm_rate)
    outputs = engine.compiled(IMAGES)
    clear = np.abs(scores - engine.header.threshold) > 1e-5
    np.testing.assert_array_equal(outputs["is_anomalous"][clear], (scores > engine.header.threshold)[clear])
    shown = [engine.header.scale_score(float(score)) for score in scores]
    np.testing.assert_allclose(outputs["display_score"], shown, atol=1e-4)
    table = read_scores(tmp_path / "scores.csv")  # what `efficientad serve` compares thresholds on
    np.testing.assert_allclose(table.good, scores[TRIAL.kinds == "good"], atol=1e-5)


def test_a_candidate_that_loses_regions_is_passed_over(float_xml, candidates, tmp_path, monkeypatch):
    accuracies = iter([(0.95, 0.9), (0.95, 0.88), (0.95, 0.9)])
    monkeypatch.setattr(f"{CHOICE}.measure_accuracy", lambda *_: Accuracy(*next(accuracies)))
    assert (
        write_int8(float_xml, HEADER, tmp_path / "1/model.xml", IMAGES_OF_TRAINING, TRIAL, ALLOWED).kept
        == "first block"
    )


@pytest.mark.parametrize("drifts", [(0.11, 0.02), (0.02, 0.11), (float("nan"), 0.0)])
def test_a_candidate_that_judges_otherwise_or_drifts_is_passed_over(
    float_xml, candidates, tmp_path, monkeypatch, drifts
):
    monkeypatch.setattr(f"{CHOICE}.measure_accuracy", lambda *_: Accuracy(0.95, 0.9))
    measured = iter([Drift(*drifts), Drift(0.1, 0.1)])
    monkeypatch.setattr(f"{CHOICE}.measure_drift", lambda *_: next(measured))
    allowed = replace(ALLOWED, verdict_flips=0.1, score_drift=0.1)
    choice = write_int8(float_xml, HEADER, tmp_path / "1/model.xml", IMAGES_OF_TRAINING, TRIAL, allowed)
    assert choice.kept == "first block"
    assert list(choice.verdict_flips) == list(choice.score_drifts) == ["first", "first block"]


@pytest.mark.long
def test_verdicts_are_compared_with_the_float_model_each_by_its_own_threshold(float_xml, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(f"{CHOICE}.measure_drift", lambda *values: [asked.append(values), measure_drift(*values)][1])
    path = tmp_path / "model.xml"
    write_int8(float_xml, HEADER, path, IMAGES_OF_TRAINING, TRIAL, Allowed(1, 1, 1, 2, 0.3))
    ((expected, threshold, scores, own_threshold),) = asked
    float_model, eight_bits = OpenVINOEngine(float_xml), OpenVINOEngine(path)
    np.testing.assert_allclose(expected, float_model.run(IMAGES).scores, atol=1e-5)
    np.testing.assert_allclose(scores, eight_bits.run(IMAGES).scores, atol=1e-5)
    assert threshold == float_model.header.threshold
    assert own_threshold == pytest.approx(eight_bits.header.threshold)


def test_nothing_is_written_when_no_candidate_will_do(float_xml, candidates, tmp_path, monkeypatch):
    accuracies = iter([(0.95, 0.9), (0.80, 0.9), (0.81, 0.9), (0.82, 0.9), (0.83, 0.9)])
    monkeypatch.setattr(f"{CHOICE}.measure_accuracy", lambda *_: Accuracy(*next(accuracies)))
    choice = write_int8(float_xml, HEADER, tmp_path / "1/model.xml", IMAGES_OF_TRAINING, TRIAL, ALLOWED)
    assert choice.kept is None
    assert list(choice.auroc_drops) == list(KEPT)
    assert [kept for kept, patches in candidates if not patches] == list(KEPT.values())
    assert not (tmp_path / "1").exists()


def test_the_refusal_says_each_drop_and_the_way_out():
    choice = Choice(None, {"first": 0.15, "first and last": 0.02}, {"first": 0.01, "first and last": 0.0})
    message = str(refuse(choice, ALLOWED))
    assert "within 0.005 and 0.01" in message
    assert "0.1500 and 0.0100 with first kept in float, 0.0200 and 0.0000 with first and last kept in float" in message
    assert "int8_fallback: fp16" in message


def test_the_refusal_says_which_verdicts_and_scores_differ():
    choice = Choice(None, {"first": 0.0}, {"first": 0.0}, {"first": 0.125}, {"first": 0.25})
    message = str(refuse(choice, replace(ALLOWED, verdict_flips=0.1, score_drift=0.2)))
    assert "with first kept in float 0.1250 of the verdicts differ, allowed 0.1" in message
    assert "scores by up to 0.2500 of the threshold, allowed 0.2" in message


def test_a_refitted_header_changes_what_hangs_on_the_scores_alone():
    scores = np.linspace(0.1, 0.8, 24, dtype=np.float32)
    fitted = fit_header(HEADER, select_scores(TRIAL, scores))
    assert fitted.threshold == pytest.approx(float(scores[18]))  # the largest of the 19 normal images
    changed = {name for name, value in vars(fitted).items() if value != getattr(HEADER, name)}
    assert changed == {"threshold", "display_scale"}


def test_a_margin_is_taken_from_the_scores_of_the_eight_bit_model_and_given_up_where_it_has_none():
    header = replace(HEADER, threshold_policy="margin")
    far = np.concatenate([np.linspace(0.1, 0.2, 21), [0.8, 0.8, 0.8]]).astype(np.float32)
    wide = fit_header(header, select_scores(TRIAL, far))
    assert wide.threshold == pytest.approx(0.4)  # between 0.2, of a brighter image, and 0.8
    assert (wide.threshold_policy, wide.false_alarm_rate) == ("margin", 0.05)
    near = fit_header(header, select_scores(TRIAL, far / np.repeat([1, 3], [21, 3]).astype(np.float32)))
    assert near.threshold == pytest.approx(float(far[18]))
    assert near.threshold_policy == "rate"
