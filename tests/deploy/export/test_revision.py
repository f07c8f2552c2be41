import subprocess

import pytest

from efficientad.deploy.export.revision import find_revision


@pytest.fixture
def repository(tmp_path):
    _git(tmp_path, "init", "--quiet")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/code.py").write_text("one")
    return tmp_path


def _git(folder, *arguments):
    who = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    return subprocess.check_output(["git", *who, *arguments], cwd=folder, text=True).strip()


def _commit(folder):
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "-m", "x")
    return _git(folder, "rev-parse", "HEAD")


def test_the_revision_is_the_last_one_of_the_code_whatever_else_was_committed(repository):
    of_code = _commit(repository)
    (repository / "dvc.lock").touch()
    assert _commit(repository) != of_code
    assert find_revision(repository) == of_code[:12]


def test_changed_code_is_said(repository):
    revision = _commit(repository)
    (repository / "src/code.py").write_text("two")
    assert find_revision(repository) == revision[:12] + "+changes"


def test_without_any_commit_or_repository_nothing_is_known(tmp_path, repository):
    assert find_revision(repository) == ""
    (outside := tmp_path / "no").mkdir()
    (outside / ".git").write_text("gitdir: nowhere")
    assert find_revision(outside) == ""
