"""A walk lists what the providers would read, and tells of the rest, whatever lies in the folder."""

import os
from pathlib import Path

import pytest

from efficientad.data.checking.walking import walk_folder
from efficientad.errors import DataError


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")


def test_files_at_any_depth_are_listed_and_hidden_ones_are_not(tmp_path: Path):
    for name in ("good/b.png", "good/deep/er/a.png", "notes.txt", ".git/x.png", "good/.a.png"):
        put(tmp_path / name)
    found = walk_folder(tmp_path)
    assert found.files == ("good/b.png", "good/deep/er/a.png", "notes.txt")
    assert found.left_out == ()


def test_links_count_as_the_providers_count_them(tmp_path: Path):
    put(tmp_path / "elsewhere/a.png")
    put(tmp_path / "parts/good/b.png")
    (tmp_path / "parts/dent").symlink_to(tmp_path / "elsewhere")  # a class may be a link
    (tmp_path / "parts/good/inner").symlink_to(tmp_path / "elsewhere")  # a folder inside of one may not
    (tmp_path / "parts/good/c.png").symlink_to(tmp_path / "elsewhere/a.png")
    found = walk_folder(tmp_path / "parts")
    assert found.files == ("dent/a.png", "good/b.png", "good/c.png")
    assert [(entry.name, entry.reason.split(",")[0]) for entry in found.left_out] == [
        ("good/inner", "link to a folder")
    ]


def test_loops_dangling_links_and_devices_are_told(tmp_path: Path):
    (tmp_path / "good").mkdir()
    (tmp_path / "good/a.png").symlink_to("b.png")
    (tmp_path / "good/b.png").symlink_to("a.png")
    (tmp_path / "good/c.png").symlink_to("nothing")
    (tmp_path / "self").symlink_to(".")
    os.mkfifo(tmp_path / "good/d.png")
    reasons = {entry.name: entry.reason for entry in walk_folder(tmp_path).left_out}
    nowhere = "link that leads nowhere"
    assert {name: reasons[f"good/{name}.png"] for name in "abcd"} == {
        "a": nowhere, "b": nowhere, "c": nowhere, "d": "no regular file"
    }  # fmt: skip
    assert reasons["self"].startswith("link to a folder")


def test_a_folder_that_does_not_open_is_told(tmp_path: Path, monkeypatch):
    put(tmp_path / "good/a.png")
    (tmp_path / "shut").mkdir()
    read = Path.iterdir

    def refuse(path: Path):
        if path.name == "shut":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    found = walk_folder(tmp_path)
    assert found.files == ("good/a.png",)
    assert [(entry.name, entry.reason) for entry in found.left_out] == [
        ("shut", "cannot be opened (Permission denied)")
    ]


def test_names_of_any_bytes_are_listed(tmp_path: Path):
    name = os.fsdecode(b"\xff\x1b.png")
    (tmp_path / name).write_bytes(b"")
    assert walk_folder(tmp_path).files == (name,)


def test_no_folder_is_an_error(tmp_path: Path):
    with pytest.raises(DataError, match="expected a folder of images"):
        walk_folder(tmp_path / "none")
