"""What DVC itself costs on a large matrix."""

import resource

import pytest
import yaml
from dvc.repo import Repo
from small_project import Project

pytestmark = [pytest.mark.property, pytest.mark.long]

CATEGORIES = [f"part{index:02}" for index in range(9)]
STAGES = len(CATEGORIES) * 7 + 4  # prepare and the six of an item; names, pretraining, distill, summary


@pytest.fixture
def finished_matrix(tmp_path) -> Project:
    """Nine products whose outputs are empty, but known to DVC: their content does not matter here."""
    project = Project(tmp_path / "project")
    project.change_params(lambda tree: tree.update(sizes=["L"], categories=CATEGORIES))
    project.change_params(lambda tree: tree.update(category={name: {} for name in CATEGORIES}))
    for name in CATEGORIES:
        (project.root / "data/raw" / name).mkdir()
    with Repo(str(project.root)) as repo:
        outs = [(project.root / out.fs_path) for stage in repo.index.stages for out in stage.outs]
    for path in outs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}") if path.suffix else path.mkdir(parents=True, exist_ok=True)
    project.dvc("commit", "--force", "-q")
    return project


def measure_cpu_seconds(project: Project) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "up to date" in project.dvc("repro")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_a_repro_of_sixty_stages_that_does_nothing_takes_less_than_three_and_a_half_seconds(finished_matrix):
    """Of CPU, the least of three, as other programs on the machine cost time here, too; in proportion to 60 stages."""
    lock = yaml.safe_load((finished_matrix.root / "dvc.lock").read_text("utf-8"))
    assert len(lock["stages"]) == STAGES >= 60
    finished_matrix.dvc("repro")  # as after any first run DVC knows the files' times
    assert min(measure_cpu_seconds(finished_matrix) for _ in range(3)) < 3.5 * STAGES / 60
