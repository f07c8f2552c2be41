"""From near-duplicates to a report that names them and a file that keeps them together."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from import_closure import ROOT
from photographed_parts import photograph_parts

from efficientad.data.arrays.prepared import Prepared
from efficientad.data.datasets.folder import FolderProvider
from efficientad.data.datasets.groups import find_groups
from efficientad.data.datasets.leaks import NearDuplicates, describe_leaks, format_groups, join_groups, write_leaks
from efficientad.data.datasets.near_duplicates import find_parts
from efficientad.data.datasets.prepare import write_prepared
from efficientad.data.datasets.splits import SplitPlan
from efficientad.data.images.encoding import write_png


@pytest.fixture(scope="module")
def gear(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """A user's folder: 30 parts at four exposures, under names that say nothing; and the part of each name."""
    folder = tmp_path_factory.mktemp("raw") / "gear"
    (folder / "good").mkdir(parents=True)
    images, parts = photograph_parts(30, [0.4, 0.7, 1.0, 1.2], seed=0)
    for number, image in enumerate(images):
        write_png(folder / f"good/{number:03d}.png", image)
    return folder, {f"good/{number:03d}.png": part for number, part in enumerate(parts)}


def _prepare(folder: Path, out: Path, group: str | None) -> tuple[Prepared, dict[str, str]]:
    provider = FolderProvider(folder)
    groups = find_groups(group, folder, provider.list_samples())
    return write_prepared(provider, out, (128, 128), SplitPlan(0.8, 0.1, 0), raw_samples=2, groups=groups), groups


def test_the_report_names_the_pairs_and_its_file_puts_them_right(gear, tmp_path: Path):
    folder, part_of = gear
    prepared, groups = _prepare(folder, tmp_path / "leaky", None)
    pairs = write_leaks(prepared, groups, find_parts(prepared.images), tmp_path / "report")
    assert all(part_of[pair.first] == part_of[pair.second] for pair in pairs)
    splits = {row.name: row.split for row in prepared.rows}
    assert all((splits[p.first], splits[p.second]) == (p.first_split, p.second_split) for p in pairs)
    names = [row.name for row in prepared.rows]
    leaking = [(a, b) for a in names for b in names if a < b and part_of[a] == part_of[b] and splits[a] != splits[b]]
    assert len(pairs) >= 0.95 * len(leaking) > 40
    report = json.loads((tmp_path / "report/near_duplicates.json").read_text("utf-8"))
    assert report == {"checked": True, "pairs": [vars(pair) for pair in pairs]}

    kept, groups = _prepare(folder, tmp_path / "kept", str(tmp_path / "report/parts.csv"))
    assert write_leaks(kept, groups, find_parts(kept.images), tmp_path / "again") == []
    splits_of_part = {}
    for row in kept.rows:
        splits_of_part.setdefault(part_of[row.name], set()).add(row.split)
    assert np.mean([len(splits) == 1 for splits in splits_of_part.values()]) >= 0.95


def test_a_product_that_nobody_looked_at_says_so(gear, tmp_path: Path):
    prepared, groups = _prepare(gear[0], tmp_path / "out", None)
    assert write_leaks(prepared, groups, None, tmp_path / "report") == []
    report = json.loads((tmp_path / "report/near_duplicates.json").read_text("utf-8"))
    assert report == {"checked": False, "pairs": []}


def test_groups_that_meet_are_joined_and_others_stay():
    groups = {"a": "1", "b": "2", "c": "2", "d": "3", "e": "4", "f": "5"}
    joined = join_groups(groups, [["d", "e"], ["e", "c"]])
    assert joined == {"a": "1", "b": "2", "c": "2", "d": "2", "e": "2", "f": "5"}
    assert join_groups(groups, []) == groups


def test_names_with_commas_are_quoted():
    assert format_groups({"good/a,b.png": "x", "good/c.png": "y", "d.png": "x"}) == (
        'name,group\n"good/a,b.png",0\ngood/c.png,1\nd.png,0\n'
    )


def test_the_message_shows_some_pairs_counts_all_and_says_what_to_do():
    pairs = [NearDuplicates(f"good/{n}.png", "train", f"good/{n}b.png", "test", 0.8) for n in range(7)]
    message = describe_leaks(pairs, Path("metrics/prepare/gear"), Path("data/raw/gear"))
    assert "7 pairs of images in different splits" in message
    assert "good/0.png (train) and good/0b.png (test)" in message
    assert "and 4 more" in message
    assert "good/3.png" not in message
    assert "copy metrics/prepare/gear/parts.csv to data/raw/gear/parts.csv and set data.group: parts.csv" in message
    assert "more" not in describe_leaks(pairs[:3], Path("a"), Path("b"))


def _run_stage(
    gear: Path, project: Path, near_duplicates: str, group: str | None = None
) -> subprocess.CompletedProcess:
    """Run `prepare` in a project of its own."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    params |= {"categories": ["gear"], "category": {"gear": {}}}
    params["data"] |= {"provider": "folder", "root": str(gear.parent), "image_size": 128, "group": group}
    params["data"] |= {"near_duplicates": near_duplicates}
    params["calibrate"] |= {"false_alarm_rate": 0.4}
    (project / "params.yaml").write_text(yaml.safe_dump(params), "utf-8")
    command = [sys.executable, str(ROOT / "stages/prepare.py"), "gear"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)


def test_the_stage_warns_fails_or_leaves_it(gear, tmp_path: Path):
    warned = _run_stage(gear[0], tmp_path, "warn")
    assert warned.returncode == 0, warned.stderr
    assert "WARNING gear: expected all images of a part in one split" in warned.stdout
    failed = _run_stage(gear[0], tmp_path, "fail")
    assert failed.returncode == 1
    assert failed.stderr.startswith("DataError: expected all images of a part in one split")
    ignored = _run_stage(gear[0], tmp_path, "ignore")
    assert (ignored.returncode, "WARNING" in ignored.stdout) == (0, False)
    kept = tmp_path / "parts.csv"
    kept.write_text("name,group\n" + "".join(f"{name},{part}\n" for name, part in gear[1].items()))
    grouped = _run_stage(gear[0], tmp_path, "fail", group=str(kept))
    assert grouped.returncode == 0, grouped.stderr


def test_names_that_move_a_terminals_cursor_are_written_out():
    pair = NearDuplicates("good/\x1b[2J.png", "train", "good/\x07.png", "validation", 0.99)
    assert str(pair) == r"good/\x1b[2J.png (train) and good/\x07.png (validation)"
