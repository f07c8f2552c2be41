"""Mutation testing: what is put into the code, that tests judge a copy of it, and what the page says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from import_closure import ROOT
from mutation.generate import describe_change, list_mutants
from mutation.page import write_page
from mutation.plan import load_plan
from mutation.record import describe_file, is_alive, is_known, list_unexplained, summarise

CODE = '''"""A module."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Two."""

    first: int | None = 3  # of them


def find(values: list[int] | None, least: int) -> list[int]:
    """Return some."""
    if values is None:
        raise ValueError(f"expected values, got {1 + 1}")
    try:
        least += 1
    except re.error:
        least = 2
    found = [value for value, _ in zip(values, values, strict=True) if value >= least and value != 7]
    return found[:-1]
'''


def test_a_mutant_is_one_fault_that_compiles_and_no_place_has_two():
    mutants = list_mutants("a.py", CODE, 99, seed=0)
    for mutant in mutants:
        compile(mutant.text, "a.py", "exec")
        changed = [number for number, pair in enumerate(zip(CODE.split("\n"), mutant.text.split("\n"), strict=True), 1)
                   if pair[0] != pair[1]]  # fmt: skip
        assert changed == [mutant.line]
    kinds = {(mutant.line, mutant.after) for mutant in mutants}
    assert len(kinds) == len(mutants)
    lines = {mutant.line for mutant in mutants}
    assert sorted(lines) == [10, 15, 18, 19, 20, 21, 22]  # neither annotations nor what is raised
    assert not any("strict=False" in mutant.after or "frozen=False" in mutant.after for mutant in mutants)


def test_a_smaller_sample_is_the_first_of_a_larger_one_and_a_seed_draws_another():
    one, two = ({mutant.name for mutant in list_mutants("a.py", CODE, most, seed=0)} for most in (3, 6))
    assert len(one) == 3
    assert one < two
    assert {mutant.name for mutant in list_mutants("a.py", CODE, 6, seed=1)} != two


def test_a_mutant_is_named_by_its_lines_without_comments_wherever_they_stand():
    mutant = describe_change("a.py", "a = 1\n    b = 2  # two\n", "a = 1\n    b =  3  # two\n")
    assert (mutant.line, mutant.name) == (2, "b = 2 -> b = 3")


JUDGE = """
import sys
from pathlib import Path
from mutation.plan import Target
from mutation.run import copy_tree, is_killed, measure_seconds

with copy_tree(Path(sys.argv[1])) as tree:
    target = Target("src/efficientad/one.py", (("test_one.py",), ("test_two.py",)))
    measure_seconds(tree, target)
    texts = ["def f():\\n    return %s\\n" % value for value in ("2", "3", "4", "1 +")]
    print([is_killed(tree, target, text, seconds=0.1) for text in texts])
    print((tree / target.file).read_text() == (Path(sys.argv[1]) / target.file).read_text())
    print((tree / "ignored").exists())
"""


def test_tests_judge_a_copy_and_the_tree_stays(tmp_path: Path):
    """The first test wants less than 4, the second another value than 3; the code as it is gives 1."""
    package = tmp_path / "src/efficientad"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("def f():\n    return 1\n")
    for name, claim in (("one", "f() < 4"), ("two", "f() != 3")):
        (tmp_path / f"test_{name}.py").write_text(f"from efficientad.one import f\n\ndef test():\n    assert {claim}\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    long: x\n    slow: x\n")
    (tmp_path / ".gitignore").write_text("ignored\n")
    (tmp_path / "ignored").write_text("")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = [sys.executable, "-c", JUDGE, str(tmp_path)]
    environment = {"PYTHONPATH": str(ROOT / "benchmarks"), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.stdout.splitlines() == ["[False, True, True, True]", "True", "False"], result.stderr
    assert (package / "one.py").read_text() == "def f():\n    return 1\n"


def test_the_list_names_files_and_tests_that_there_are():
    plan = load_plan(ROOT / "benchmarks/mutants.toml", ROOT)
    assert len({target.file for target in plan.targets}) == len(plan.targets) > 20
    for target in [*plan.targets, *(one.target for one in plan.named)]:
        paths = [word for tests in target.tests for word in tests if word.startswith(("tests/", "src/"))]
        assert all((ROOT / path).exists() for path in [target.file, *paths])
    for one in plan.named:
        assert (ROOT / one.target.file).read_text("utf-8").count(one.old) == 1, one.name
    for file, name in plan.reasons:
        before = name.split(" -> ")[0]
        lines = [line.split("  # ")[0].strip() for line in (ROOT / file).read_text("utf-8").splitlines()]
        assert before in " ".join(lines), f"{file}: {before} is no longer there"


def test_the_record_counts_and_the_page_gives_reasons():
    mutants = list_mutants("a.py", CODE, 6, seed=0)
    outcomes = [(mutant, place != 2) for place, mutant in enumerate(mutants)]
    record = summarise({"a.py": describe_file(outcomes, CODE)}, {"by hand": True}, 6)
    assert (record["mutation_killed"], record["mutants"]) == (0.8333, 6)
    assert [is_alive(record, mutant) for mutant in mutants] == [place == 2 for place in range(6)]
    reasons = {("a.py", mutants[2].name): "it is the same."}
    assert list_unexplained(record, reasons) == []
    assert list_unexplained(record, {}) == [f"a.py: {mutants[2].name}"]
    page = write_page(json.loads(json.dumps(record)), reasons)
    assert "**5 of 6 mutants are killed: 83.3%.**" in page
    assert page.rstrip().endswith(f"`{mutants[2].after}`: it is the same.")
    assert "no test sees it yet" in write_page(record, {})


def test_a_record_is_of_the_same_mutants_where_neither_the_text_nor_their_number_changed():
    """Otherwise mutants that nothing has judged would count as killed."""
    mutants = list_mutants("a.py", CODE, 6, seed=0)
    record = summarise({"a.py": describe_file([(one, True) for one in mutants], CODE)}, {}, 6)
    assert is_known(record, "a.py", CODE, 6)
    assert not is_known(record, "a.py", CODE, 7)
    assert not is_known(record, "a.py", CODE + "\n", 6)
    assert not is_known(record, "b.py", CODE, 6)
    assert not is_known({"by file": {"a.py": {"mutants": 6, "alive": []}}}, "a.py", CODE, 6)


@pytest.mark.skipif(not (ROOT / "docs/reliability/mutants.json").is_file(), reason="make mutants writes it")
def test_the_page_is_that_of_the_record_and_the_bar_is_met():
    plan = load_plan(ROOT / "benchmarks/mutants.toml", ROOT)
    record = json.loads((ROOT / "docs/reliability/mutants.json").read_text("utf-8"))
    assert (ROOT / "docs/mutants.md").read_text("utf-8") == write_page(record, plan.reasons)
    assert record["mutation_killed"] >= 0.85
    assert list_unexplained(record, plan.reasons) == []
    assert all(record["named"].values())
