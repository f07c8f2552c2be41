"""`data.group`: which images show one part, by a regular expression or by a CSV file."""

from pathlib import Path

import numpy as np
import pytest

from efficientad.data.arrays.samples import Sample, hold_out
from efficientad.data.datasets.folder import FolderProvider
from efficientad.data.datasets.groups import find_groups, hold_out_groups
from efficientad.errors import DataError, ParamsError

GOOD = [Sample(f"good/tile{n // 2}_exp{n % 2}.png", None, "good") for n in range(6)]
DEFECT = Sample("dent/odd.png", "test", "dent")


def test_without_a_group_each_image_shows_a_part_of_its_own():
    groups = find_groups(None, Path(), [*GOOD, DEFECT])
    assert len(set(groups.values())) == len(groups) == 7


def test_an_expression_names_the_part_by_its_first_group_or_its_whole_match():
    numbers, words = ["0", "1", "2"], ["tile0", "tile1", "tile2"]
    for pattern, names in ((r"tile(\d+)_exp", numbers), (r"tile(\d+)_exp(\d)", numbers), (r"tile\d+", words)):
        groups = find_groups(pattern, Path(), GOOD)
        assert [groups[sample.name] for sample in GOOD] == [name for name in names for _ in range(2)]


@pytest.mark.parametrize("defect", ["dent", "scratch"])
def test_a_defective_image_that_is_not_matched_shows_a_part_of_its_own(defect: str):
    odd = Sample(f"{defect}/odd.png", "test", defect)
    assert find_groups(r"tile(\d+)", Path(), [*GOOD, odd])[odd.name] == odd.name


def test_a_defective_image_that_is_matched_belongs_to_the_part():
    same = Sample("dent/tile1.png", "test", "dent")
    assert find_groups(r"tile(\d+)", Path(), [*GOOD, same])[same.name] == "1"


@pytest.mark.parametrize("pattern", [r"exp0_tile(\d+)", r"tile(9)?_"])
def test_a_good_image_without_a_part_is_refused(pattern: str):
    with pytest.raises(DataError, match=r"6 of 6 have none, such as good/tile0_exp0\.png, "):
        find_groups(pattern, Path(), GOOD)


def test_a_broken_expression_is_refused():
    with pytest.raises(ParamsError, match=r"data\.group: expected a regular expression"):
        find_groups("tile(", Path(), GOOD)


def _write_csv(folder: Path, *lines: str) -> str:
    (folder / "parts.csv").write_text("\n".join(["name,group", *lines]) + "\n")
    return "parts.csv"


def test_a_file_names_images_in_full_or_by_their_file_names(tmp_path: Path):
    lines = [f"{sample.name if n % 2 else Path(sample.name).name},{n // 3}" for n, sample in enumerate(GOOD)]
    for group in (_write_csv(tmp_path, *lines, "gone.png,7"), str(tmp_path / "parts.csv")):
        groups = find_groups(group, tmp_path, [*GOOD, DEFECT])
        assert [groups[sample.name] for sample in GOOD] == ["0", "0", "0", "1", "1", "1"]
        assert groups[DEFECT.name] == DEFECT.name


def test_a_file_that_forgets_a_good_image_is_refused(tmp_path: Path):
    group = _write_csv(tmp_path, *(f"{sample.name},1" for sample in GOOD[1:]))
    with pytest.raises(DataError, match=r"parts\.csv.*1 of 6 have none, such as good/tile0_exp0\.png"):
        find_groups(group, tmp_path, GOOD)


def test_a_file_name_that_fits_two_images_is_refused(tmp_path: Path):
    samples = [Sample("good/a/0.png", None, "good"), Sample("good/b/0.png", None, "good")]
    with pytest.raises(DataError, match=r"0\.png fits good/a/0\.png and good/b/0\.png"):
        find_groups(_write_csv(tmp_path, "0.png,1"), tmp_path, samples)
    groups = find_groups(_write_csv(tmp_path, "good/a/0.png,1", "good/b/0.png,2"), tmp_path, samples)
    assert list(groups.values()) == ["1", "2"]


def test_broken_files_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"expected data\.group's CSV file.*parts\.csv"):
        find_groups("parts.csv", tmp_path, GOOD)
    (tmp_path / "parts.csv").write_text("name;group\na.png;1\n")
    with pytest.raises(DataError, match="expected columns name and group"):
        find_groups("parts.csv", tmp_path, GOOD)
    for row in ("a.png,", ",1"):
        with pytest.raises(DataError, match="expected columns name and group"):
            find_groups(_write_csv(tmp_path, row), tmp_path, GOOD)
    with pytest.raises(DataError, match=r"expected one group for a\.png.*1 and 2"):
        find_groups(_write_csv(tmp_path, "a.png,1", "a.png,2"), tmp_path, GOOD)


def test_names_of_a_users_folder_are_what_the_expression_sees(folder_path: Path):
    groups = find_groups(r"^good/(\d)", folder_path, FolderProvider(folder_path).list_samples())
    assert groups["good/7.png"] == "7"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [0, 1, 2, 3, 30, 101])
@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.25, 1 - 0.8, 1.0])
def test_single_images_are_chosen_as_names_are(count: int, fraction: float, seed: int):
    names = [f"{n:03d}" for n in range(count)]
    assert hold_out_groups({name: name for name in names}, fraction, seed) == hold_out(names, fraction, seed)


def test_whole_groups_come_as_near_to_the_fraction_as_they_can():
    """Sizes 1 to 8 and one of 60: from 96 names a quarter is 24, always reached within half of the smallest."""
    sizes = {f"g{n}": n for n in range(1, 9)} | {"large": 60}
    group_of = {f"{group}/{n}": group for group, size in sizes.items() for n in range(size)}
    choices = set()
    for seed in range(20):
        chosen = hold_out_groups(group_of, 0.25, seed)
        groups = {group_of[name] for name in chosen}
        assert chosen == {name for name, group in group_of.items() if group in groups}
        assert abs(len(chosen) - 24) <= 3
        assert "large" not in groups
        choices.add(chosen)
    assert len(choices) > 10


def test_the_smallest_group_is_taken_when_all_are_too_large():
    group_of = {f"{group}{n}": group for group, size in (("a", 50), ("b", 40)) for n in range(size)}
    chosen = hold_out_groups(group_of, 0.1, seed=0)
    assert {group_of[name] for name in chosen} == {"b"}
    assert hold_out_groups(dict.fromkeys(group_of, "a"), 0.1, seed=0) == frozenset()


def test_taken_groups_count_towards_the_fraction():
    group_of = {f"{n % 10}/{n}": str(n % 10) for n in range(100)}
    for seed in range(5):
        groups = {group_of[name] for name in hold_out_groups(group_of, 0.3, seed, taken={"4", "7", "other"})}
        assert {"4", "7"} <= groups
        assert len(groups) == 3
    assert len(hold_out_groups(group_of, 0.1, 0, taken={"4", "7"})) == 20


def test_every_group_is_chosen_about_as_often():
    group_of = {f"{n % 10}/{n}": str(n % 10) for n in range(60)}
    chosen = [group_of[name] for seed in range(400) for name in hold_out_groups(group_of, 0.2, seed)]
    counts = np.array([chosen.count(str(n)) for n in range(10)]) / 6
    assert abs(counts - 80).max() < 4 * np.sqrt(400 * 0.2 * 0.8)
