"""`dvc plots`: every plot of dvc.yaml has its template, and the page is drawn in a browser without a network."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from headless_browser import needs_chromium, open_page
from import_closure import ROOT

from efficientad.evaluation.image_level import compute_roc_curve
from efficientad.reporting.summary import write_summary_csv
from efficientad.reporting.tables import write_confusion_csv, write_curve_csv, write_histogram_csv

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
PLOTS = {
    path: options for stage in STAGES.values() for plot in stage.get("plots", []) for path, options in plot.items()
}
FRAME = (ROOT / ".dvc/page.html").read_text("utf-8")
ITEM = "metrics/report/L/washer/0"


@pytest.mark.parametrize("path", PLOTS)
def test_a_plot_has_a_template_and_lies_in_git_so_that_a_clone_shows_it(path):
    assert (ROOT / ".dvc/plots" / f"{PLOTS[path]['template']}.json").is_file()
    assert PLOTS[path]["cache"] is False


def test_the_frame_loads_nothing_and_names_its_scripts_with_their_licences():
    assert not re.findall(r"<(?:script|link)[^>]*(?:src|href)=", FRAME)
    assert re.findall(r"^/\* (\S+) [\d.]+\n\nCopyright", FRAME, re.MULTILINE) == ["vega", "vega-lite", "vega-embed"]
    assert "{plot_divs}" in FRAME
    assert "{scripts}" not in FRAME  # which DVC fills with those of a network


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Two commits of tables under this project's dvc.yaml; the second one's detector is better."""
    root = tmp_path_factory.mktemp("plots")
    for name in ("dvc.yaml", "params.yaml", "recipes", ".dvc/config", ".dvc/page.html", ".dvc/plots"):
        target = root / name
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(ROOT / name, target) if (ROOT / name).is_dir() else shutil.copy(ROOT / name, target)
    run(root, "git", "init", "-q")
    for distance in (1, 3):
        write_tables(root, distance)
        run(root, "git", "add", "-A")
        run(root, "git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", str(distance))
    return root


def run(root, *command):
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def write_tables(root, distance):
    rng, labels = np.random.default_rng(0), np.arange(60) % 2
    scores = rng.normal(size=60) + distance * labels
    item = root / ITEM
    write_curve_csv(item / "roc.csv", vars(compute_roc_curve(scores, labels)))
    pro = {"false_positive_rate": [0, 0.1, 1], "region_overlap": [0, 0.9, 1], "thresholds": [2, 1, 0]}
    write_curve_csv(item / "pro.csv", {name: np.array(values) for name, values in pro.items()})
    write_histogram_csv(item / "score_histogram.csv", scores, labels, 2.0)
    write_confusion_csv(item / "confusion.csv", scores, labels, 2.0)
    (item / "losses.csv").write_text("step,loss\n")
    (root / "metrics/distill/L").mkdir(parents=True, exist_ok=True)
    (root / "metrics/distill/L/losses.csv").write_text("step,loss\n1,2.0\n2,1.5\n3,1.2\n")
    write_summary_csv(root / "metrics/summary.csv", {"L/washer/0": {"image_auroc": 0.3 * distance, "au_pro": 0.5}})


@pytest.mark.property
@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize("command", ["show", "diff"])
def test_every_table_is_drawn_without_a_network(project, command):
    revisions = {"show": ["workspace"], "diff": ["HEAD", "HEAD~1"]}[command]
    arguments = ["diff", "HEAD~1", "HEAD"] if command == "diff" else ["show"]
    said = run(project, sys.executable, "-m", "dvc", "plots", *arguments, "-o", command)
    assert "WARNING" not in said
    with open_page(project / command / "index.html") as page:
        drawn = {}
        for plot in page.locator("main > div").all():
            drawn[plot.get_attribute("id")] = plot
        assert len(drawn) == len(PLOTS)
        for name, plot in drawn.items():
            if name == "metrics_report_L_washer_0_losses_csv":
                assert plot.inner_text() == f"{name}: no rows, nothing to draw"
            else:
                assert len(find_marks(plot)) >= len(revisions), name
                assert all(revision in plot.locator("svg.marks").text_content() for revision in revisions), name
        counts = drawn["metrics_report_L_washer_0_confusion_csv"].locator("svg.marks .mark-text.role-mark text")
        assert sum(int(text) for text in counts.all_text_contents()) == 60 * len(revisions)
        histogram = drawn["metrics_report_L_washer_0_score_histogram_csv"].locator("svg.marks")
        assert histogram.text_content().count("threshold 2") == len(revisions)
        assert "ROC of the images, L/washer/0" in page.content()
        for line in drawn["metrics_report_L_washer_0_roc_csv"].locator("svg.marks .mark-line path").all():
            points = np.array(re.findall(r"([\d.]+),([\d.]+)", line.get_attribute("d")), float)
            assert (np.diff(points[:, 0]) >= 0).all()
            assert (np.diff(points[:, 1]) <= 0).all()  # px from the top


def find_marks(plot):
    """Return the drawn areas, in px, of lines and bars of data that can be seen."""
    shapes = plot.locator("svg.marks .role-mark path").all()
    boxes = [box for shape in shapes if (box := shape.bounding_box())]
    return [box for box in boxes if box["width"] > 2 and box["height"] > 2]
