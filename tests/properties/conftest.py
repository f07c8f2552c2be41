"""One run of the small project, which every property starts from."""

import shutil
import subprocess

import pytest
from clone import IDENTITY, Clone
from small_project import Project

OFFLINE = ("unshare", "--map-root-user", "--net")  # a network of its own, without any interface that is up


def has_namespaces() -> bool:
    """Return whether this system lets a user start a program without a network."""
    return (
        shutil.which(OFFLINE[0]) is not None and not subprocess.run([*OFFLINE, "true"], capture_output=True).returncode
    )


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """The small project with size L alone, run in a fresh folder, where possible without a network, and committed."""
    project = Project(tmp_path_factory.mktemp("finished") / "project")
    project.change_params(lambda tree: tree.update(sizes=["L"]))
    project.was_offline = has_namespaces()
    project.run(*(OFFLINE if project.was_offline else ()), "dvc", "repro")
    project.run("git", "add", ".")
    project.run("env", *(f"{key}={value}" for key, value in IDENTITY.items()), "git", "commit", "-qm", "results")
    return project


@pytest.fixture
def clone(finished, tmp_path) -> Clone:
    """A clone of it that has everything."""
    return Clone(finished, tmp_path / "clone")
