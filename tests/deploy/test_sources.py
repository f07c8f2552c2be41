"""Which images a user means, and what they are called."""

import os

import pytest

from efficientad.deploy.sources import find_root, list_sources, read_stamp
from efficientad.errors import DataError

NAMES = ("a/1.png", "a/2.png", "a/deep/3.png", "b/1.png", "b/notes.txt", "results/1.png.png")


@pytest.fixture
def root(tmp_path):
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("sources", "below", "names"),
    [
        (["a"], "a", ["1.png", "2.png", "deep/3.png"]),
        (["a/1.png"], "a", ["1.png"]),
        (["a/2.png", "a/1.png"], "a", ["1.png", "2.png"]),
        (["b", "a/deep"], ".", ["a/deep/3.png", "b/1.png"]),
        (["a/deep/3.png", "b/1.png"], ".", ["a/deep/3.png", "b/1.png"]),
        (["a", "a/1.png", "a/deep", "a"], "a", ["1.png", "2.png", "deep/3.png"]),
        ([".", "a"], ".", ["a/1.png", "a/2.png", "a/deep/3.png", "b/1.png", "results/1.png.png"]),
        (["a/../b"], "b", ["1.png"]),
    ],
)
def test_names_run_from_the_deepest_folder_that_holds_all_and_each_image_comes_once(root, sources, below, names):
    paths = [root / source for source in sources]
    assert find_root(paths) == (root / below).resolve()
    found = list_sources(paths, [])
    assert list(found) == names
    for name, file in found.items():
        assert file.samefile(root / below / name)


def test_relative_paths_and_links_give_the_same_names(root, monkeypatch):
    monkeypatch.chdir(root / "a")
    assert list(list_sources([root / "b", root / "a"], [])) == [name for name in NAMES if name[0] in "ab"][:4]
    (root / "b/linked.png").symlink_to(root / "a/1.png")
    assert list(list_sources([root / "b"], [])) == ["1.png", "linked.png"]


def test_folders_of_results_are_left_out_but_not_a_file_in_them_that_is_named(root):
    assert [name for name in list_sources([root], [root / "results"]) if name.startswith("results")] == []
    assert len(list_sources([root], [root / "results", root / "a/deep"])) == 3
    assert list(list_sources([root / "results/1.png.png"], [root / "results"])) == ["1.png.png"]


def test_what_is_not_there_is_an_error(root):
    with pytest.raises(DataError, match=r"expected a folder of images at .*absent"):
        list_sources([root / "a", root / "absent"], [])


def test_a_stamp_is_size_and_time(root):
    file = root / "a/1.png"
    os.utime(file, (5, 7.25))
    assert read_stamp(file) == (0, 7.25)
    assert read_stamp(root / "absent") is None
