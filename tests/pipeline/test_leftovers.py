from pathlib import Path

import pytest

from efficientad.pipeline.leftovers import drop_stages, find_leftovers, remove_empty_folders

IN_USE = (
    "models/L/gear/0/detector.onnx", "models/L/gear/10/detector.onnx", "models/L/teacher.safetensors",
    "models/README.md",
    "data/prepared/gear/images.npy", "data/prepared/.gitignore", "data/pretraining/images.npy",
    "metrics/prepare/gear/parts.csv", "metrics/distill/L/distill.json", "metrics/summary.json", "metrics/README.md",
    "metrics/fit/L/gear/0.json", "metrics/fit/L/gear/10.json", "metrics/report/L/gear/0/roc.csv",
)  # fmt: skip
OWN = ("models/L/gear/0-old/detector.onnx", "models/L/gear/0/CARD.md", "metrics/fit/L/gear/notes.md", "models/x/y/0/z")
DROPPED = {
    "models/L/bolt/0/detector.onnx": "models/L/bolt/0", "models/S/gear/0/detector.onnx": "models/S/gear/0",
    "models/L/gear/1/detector.onnx": "models/L/gear/1", "models/S/teacher.safetensors": "models/S/teacher.safetensors",
    "data/prepared/bolt/images.npy": "data/prepared/bolt", "metrics/prepare/bolt/parts.csv": "metrics/prepare/bolt",
    "metrics/distill/S/distill.json": "metrics/distill/S",
    "metrics/export/L/bolt/0.json": "metrics/export/L/bolt/0.json",
    "metrics/report/L/bolt/0/roc.csv": "metrics/report/L/bolt/0",
}  # fmt: skip


def write(root: Path, names) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")


def find(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in find_leftovers(["L"], ["gear"], [0, 10], root)}


def test_nothing_in_use_and_nothing_of_a_users_own_is_listed(tmp_path):
    write(tmp_path, [*IN_USE, *OWN])
    assert find(tmp_path) == set()


@pytest.mark.parametrize("file", DROPPED)
def test_everything_that_a_dropped_item_wrote_is_listed(tmp_path, file):
    write(tmp_path, [*IN_USE, *OWN, file])
    assert find(tmp_path) == {DROPPED[file]}


def test_folders_go_with_their_last_file_and_stay_with_another_one(tmp_path):
    write(tmp_path, ["models/README.md", "models/S/bolt/.gitignore"])
    remove_empty_folders(tmp_path / "models/S/bolt/0", tmp_path)
    assert not (tmp_path / "models/S").exists()
    assert (tmp_path / "models/README.md").exists()


def test_the_lock_keeps_the_stages_that_are_left_as_they_stand():
    block = "  {0}:\n    cmd: python stages/fit.py\n    deps:\n    - path: x\n      md5: 1\n"
    head = "schema: '2.0'\nstages:\n"
    lock = head + block.format("fit@L-bolt-0") + block.format("fit@L-gear-0") + block.format("summary")
    assert drop_stages(lock, {"fit@L-gear-0", "summary"}) == head + block.format("fit@L-gear-0") + block.format(
        "summary"
    )
    assert drop_stages(lock, {"fit@L-bolt-0", "fit@L-gear-0", "summary"}) == lock
