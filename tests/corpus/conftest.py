"""The corpus: some hundred files and folders made by code, each with what must come of it.

With CORPUS_REPORT=docs/reliability/corpus.json the run also counts: how many different files and folders there were,
how many gave a traceback, and how many were accepted in silence.
"""

import json
import os
from collections import Counter
from pathlib import Path

import pytest
import yaml
from import_closure import ROOT
from runs import SilentAcceptanceError, TracebackSeenError

_COUNTS: Counter = Counter()


@pytest.fixture(scope="session")
def params_text() -> str:
    """params.yaml of a product `part` of own images below raw/, at 64 px, for a handful of images."""
    tree = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    tree |= {"sizes": ["L"], "categories": ["part"], "seeds": [0], "category": {"part": {}}}
    tree["data"] |= {"provider": "folder", "root": "raw", "image_size": 64, "train_fraction": 0.7,
                     "validation_fraction": 0.3, "raw_samples": 2}  # fmt: skip
    tree["pretraining"] |= {"provider": "folder", "root": "photographs", "count": 2}
    tree["calibrate"]["false_alarm_rate"] = 0.5
    return yaml.safe_dump(tree)


@pytest.fixture
def project(tmp_path, monkeypatch, params_text) -> Path:
    """An empty project in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(params_text, "utf-8")
    return tmp_path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" or (report.when == "setup" and report.failed):
        _COUNTS["corpus_files"] += item.get_closest_marker("again") is None
        error = call.excinfo.value if call.excinfo is not None else None
        _COUNTS["tracebacks"] += isinstance(error, TracebackSeenError)
        _COUNTS["silent_acceptances"] += isinstance(error, SilentAcceptanceError)
        _COUNTS["failed"] += report.failed
    return report


def pytest_sessionfinish():
    if path := os.environ.get("CORPUS_REPORT"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        keys = ("corpus_files", "tracebacks", "silent_acceptances", "failed")
        Path(path).write_text(json.dumps({key: _COUNTS[key] for key in keys}, indent=2) + "\n", "utf-8")
