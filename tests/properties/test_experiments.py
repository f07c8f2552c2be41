"""`dvc exp`: a queue, its table, its differences, a branch of the best; also with images that git does not know."""

import json

import pytest
from clone import Clone
from import_closure import ROOT

pytestmark = [pytest.mark.property, pytest.mark.long]

PARAM = "evaluate.fpr_limit"
RANGE = f"{PARAM}=range(0.1,0.7,0.05)"


@pytest.fixture(scope="module")
def one_product(finished, tmp_path_factory) -> Clone:
    """A clone of one product, whose images DVC knows and git does not: as the recipes tell."""
    clone = Clone(finished, tmp_path_factory.mktemp("experiments") / "clone")
    (clone.root / "data/raw/.gitignore").write_bytes((ROOT / "data/raw/.gitignore").read_bytes())
    clone.change_params(lambda tree: tree.update(categories=["disc"]))
    clone.run("git", "rm", "-rq", "--cached", "data/raw/disc")
    clone.dvc("add", "-q", "data/raw/disc")
    clone.dvc("repro", "-q")
    clone.commit("one product")
    return clone


@pytest.fixture(scope="module")
def swept(one_product) -> Clone:
    """Twelve experiments, by two workers."""
    one_product.dvc("exp", "run", "--queue", "-S", RANGE, "summary")
    one_product.dvc("exp", "run", "--run-all", "--jobs", "2")
    return one_product


def list_experiments(clone: Clone) -> dict[str, float]:
    """Return the AU-PRO of each experiment, by its name."""
    (table,) = json.loads(clone.dvc("exp", "show", "--json", "-n", "1"))[1:]
    found = {}
    for experiment in table["experiments"] or []:
        (revision,) = experiment["revs"]
        assert not revision.get("error"), revision
        found[experiment["name"]] = revision["data"]["metrics"]["metrics/summary.json"]["data"]["mean"]["au_pro"]
    return found


def test_a_queue_of_twelve_with_two_workers_succeeds(swept):
    values = list_experiments(swept)
    assert len(values) == 12
    assert len(set(values.values())) > 1
    status = swept.dvc("queue", "status")
    assert status.count("Success") == 12
    assert "Failed" not in status


def test_the_table_shows_what_differs_between_two_experiments(swept):
    first, *_, last = list_experiments(swept)
    shown = swept.dvc("exp", "diff", "--md", first, last)
    assert PARAM in shown
    assert "mean.au_pro" in shown
    assert "image_auroc" not in shown  # no threshold on the maps changes it


def test_a_branch_holds_an_experiment_so_that_it_can_be_merged(swept):
    values = list_experiments(swept)
    best = max(values, key=lambda name: values[name])
    swept.dvc("exp", "branch", best, "best")
    summary = json.loads(swept.run("git", "show", "best:metrics/summary.json"))
    assert summary["mean"]["au_pro"] == values[best]


def test_a_workspace_without_the_images_says_so(finished, tmp_path):
    """What `dvc add` is needed for: only what git or DVC know is copied to a worker."""
    clone = Clone(finished, tmp_path / "clone")
    (clone.root / "data/raw/.gitignore").write_bytes((ROOT / "data/raw/.gitignore").read_bytes())
    clone.run("git", "rm", "-rq", "--cached", "data/raw/disc")
    clone.commit("images of a user's own, not added")
    done = clone.try_dvc("exp", "run", "--temp", "-S", f"{PARAM}=0.2", "evaluate@L-disc-0")
    assert done.returncode != 0
    assert "data/raw/disc" in done.stderr


def test_an_experiment_in_the_workspace_can_be_shown_as_markdown(one_product):
    one_product.dvc("exp", "run", "-q", "-S", f"{PARAM}=0.7", "summary")
    header, _, *rows = one_product.dvc("metrics", "diff", "--md", "HEAD").strip().splitlines()
    assert header.startswith("| Path")
    assert {row.split("|")[2].strip().split(".")[-1] for row in rows} == {"au_pro"}
    one_product.run("git", "checkout", "-q", ".")
    one_product.dvc("checkout", "-q")
