"""The load test runs against the real command, and its page has what it measured."""

import sys

import numpy as np
import pytest
from import_closure import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import serving_load
from serving_load import BEGIN, END, Answers, make_malformed, measure_load, replace_figures, summarise_answers

from efficientad.errors import DataError
from efficientad.pipeline.stage import read_json


def test_a_small_load(models, monkeypatch):
    monkeypatch.setattr(serving_load, "SIDE", 128)
    monkeypatch.setattr(serving_load, "WARM_UP", 4)
    figures = measure_load(models, images=20, malformed=30, minutes=2)
    assert {clients: one["images"] for clients, one in figures["clients"].items()} == {"1": 2, "4": 18}
    for one in figures["clients"].values():
        assert 0 < one["p50_ms"] <= one["p99_ms"]
        assert one["images_per_s"] > 0
    assert sum(figures["malformed"].values()) == 30
    assert set(figures["malformed"]) <= {"200", "400", "413"}  # an altered byte may leave an image
    assert all(50 < megabytes < 5_000 for megabytes in figures["memory_mb"].values())
    page = replace_figures(f"# Serving\n{BEGIN}\nold\n{END}\nEnd.\n", figures)
    assert page.startswith(f"# Serving\n{BEGIN}\n")
    assert page.endswith(f"\n{END}\nEnd.\n")
    assert "old" not in page
    assert "| 4 | 18 |" in page


def test_a_load_whose_images_were_not_all_judged_gives_no_figures():
    with pytest.raises(DataError, match="429: 1"):
        summarise_answers(Answers({200: 9, 429: 1}, [1.0] * 10, 1.0))


def test_malformed_uploads_are_the_same_each_time():
    first, second = ([*make_malformed([b"p" * 5_000], 60, np.random.default_rng(1))] for _ in range(2))
    assert first == second
    assert len({payload[:4] for payload in first}) > 5


def test_the_page_has_the_figures():
    page = (ROOT / "docs/serving.md").read_text("utf-8")
    assert page == replace_figures(page, read_json(ROOT / "docs/serving.json"))
    with pytest.raises(DataError, match="expected"):
        replace_figures(page.replace(END, ""), read_json(ROOT / "docs/serving.json"))
