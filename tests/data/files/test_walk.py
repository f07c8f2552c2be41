"""What lies in a folder and is not read is named, with the reason."""

from pathlib import Path

import pytest

from efficientad.data.files.walk import Finding, explain_left_out, list_tree, shorten
from efficientad.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "good/1.png",
        "good/2.GIF",
        "good/deep/3.png",
        "loose.png",
        ".hidden.png",
        ".cache/4.png",
        "README.md",
    ):
        path = tmp_path / "parts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/5.png").touch()
    (tmp_path / "parts/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "parts/good/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "parts/good/6.png").symlink_to(tmp_path / "elsewhere/5.png")
    (tmp_path / "parts/good/7.png").symlink_to(tmp_path / "nowhere.png")
    return tmp_path / "parts"


def test_links_to_folders_are_followed_so_far_down_and_no_further(folder: Path):
    tree = list_tree(folder, followed=1)
    assert tree.files == (
        "README.md", "good/1.png", "good/2.GIF", "good/6.png", "good/deep/3.png", "linked/5.png", "loose.png"
    )  # fmt: skip
    assert (tree.broken, tree.links, tree.followed) == (("good/7.png",), ("good/linked",), ("linked",))
    assert list_tree(folder, followed=0).links == ("good/linked", "linked")


def test_a_link_to_the_folder_itself_ends(folder: Path):
    (folder / "good/loop").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    tree = list_tree(folder, followed=2)
    assert "good/loop" in tree.links
    assert not any(name.startswith("good/loop/") for name in tree.files)
    assert "self" in tree.broken


def test_every_file_that_is_not_used_has_a_reason_and_hidden_ones_are_not_counted(folder: Path):
    findings = explain_left_out(
        list_tree(folder, followed=1), {"good/1.png", "good/6.png"}, {"loose.png": "not mine"}.get
    )
    assert {one.file: one.reason.split(";")[0].split(",")[0] for one in findings} == {
        "good/2.GIF": "of a format that is not read",
        "good/7.png": "a link that leads to no file",
        "good/deep/3.png": "an image in a folder that is not read",
        "good/linked": "a link to a folder",
        "linked": "a link to a folder",
        "linked/5.png": "an image in a folder that is not read",
        "loose.png": "not mine",
    }
    assert [one.file for one in findings] == sorted(one.file for one in findings)


def test_many_are_shortened_and_control_characters_written_out():
    lines = shorten([Finding(f"{n}\x1b.gif", "wrong") for n in range(8)]).splitlines()
    assert lines == [*(f"  {n}\\x1b.gif: wrong" for n in range(5)), "  and 3 more"]
    assert shorten([Finding("a.gif", "wrong")], with_names=False) == "  wrong"


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"expected a folder that can be read at .*nothing"):
        list_tree(tmp_path / "nothing", followed=0)
