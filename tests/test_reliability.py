"""The page and the figures for machines say what the parts measured."""

import json

from import_closure import ROOT
from reliability import OTHERS, find_missed, gather, read_part, render_table, replace_table

KEYS = ["kill_points", "recovered", "corpus_files", "tracebacks", "silent_acceptances", "soak", "line_coverage",
        "mutation_killed"]  # fmt: skip


def point(**changes):
    return {"stage": "fit", "fault": "SIGKILL", "exit": -9, "said": "", "recovered": True, "note": ""} | changes


def test_a_point_that_did_not_recover_is_counted_and_shown():
    points = [point(), point(recovered=False, note="dvc.lock differs")]
    figures = gather(points, {"soak": {"soak": {"images": 20000}}})
    assert list(figures) == KEYS
    assert (figures["kill_points"], figures["recovered"]) == (2, 1)
    assert figures["soak"] == {"images": 20000}
    assert figures["mutation_killed"] is None
    first, second = render_table(points).splitlines()[2:]
    assert first.endswith("| the same hashes |")
    assert second.endswith("| **dvc.lock differs** |")


def test_the_table_alone_is_replaced():
    page = "above\n<!-- fault points -->\nold\n<!-- end -->\nbelow\n"
    assert replace_table(replace_table(page, []), [point()]).startswith("above\n<!-- fault points -->\n| stage |")
    assert replace_table(page, [point()]).endswith("the same hashes |\n<!-- end -->\nbelow\n")
    assert "the same hashes |\n" in replace_table(page.replace("old\n", ""), [point()])


def test_what_is_not_as_promised_is_named():
    assert find_missed([point()] * 60) == []
    assert find_missed([point()] * 59) == ["expected 60 or more points, got 59; run them all"]
    lost = [point()] * 59 + [point(recovered=False, note="dvc.lock differs"), point(said="Traceback (most recent")]
    assert find_missed(lost) == ["fit, SIGKILL: dvc.lock differs", "fit, SIGKILL: a traceback"]
    assert find_missed([point()] * 59 + [point(exit=-11)]) == ["fit, SIGKILL: it died of -11"]


def test_the_page_and_the_figures_are_those_of_the_last_run():
    points = read_part("faults")["points"]
    page = (ROOT / "docs/reliability.md").read_text("utf-8")
    assert render_table(points) in page
    parts = {name: read_part(name) for name in OTHERS}
    assert json.loads((ROOT / "docs/reliability.json").read_text("utf-8")) == gather(points, parts)
