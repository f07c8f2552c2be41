"""Mutation testing of what decides a verdict: docs/mutants.md and docs/reliability/mutants.json.

python benchmarks/mutants.py [--alive | --page] [--most N] [PART ...]

PART: only files whose path holds one of the parts; the others keep what was found before.
--alive: judge those again that lived before, after tests were added; the killed ones count as killed. Of a file that
  changed since, or of which more are asked for, all are judged.
--most: fewer of a file than the list asks for: the first of the same draw.
--page: write the page again, after reasons were added.
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from mutation.generate import Mutant, describe_change, list_mutants
from mutation.page import write_page
from mutation.plan import Named, Plan, Target, load_plan
from mutation.record import Record, describe_file, is_alive, is_known, list_unexplained, summarise
from mutation.run import copy_tree, is_killed, load_libraries, measure_seconds

ROOT = Path(__file__).parents[1]
PLAN, PAGE, FIGURES = ROOT / "benchmarks/mutants.toml", ROOT / "docs/mutants.md", ROOT / "docs/reliability/mutants.json"
LEAST = 0.85
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> None:
    """Make each mutant in a copy of the tree, run its tests, and write what came of it."""
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_THREAD)  # before anything is imported
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--alive", action="store_true")
    parser.add_argument("--most", type=int, metavar="N")
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    plan = load_plan(PLAN, ROOT)
    plan = replace(plan, most=options.most or plan.most)
    before: Record = json.loads(FIGURES.read_text("utf-8")) if FIGURES.is_file() else {}
    if options.page:
        write_results(before, plan)
        return
    load_libraries()
    with copy_tree(ROOT) as tree:
        by_file = {one.file: before.get("by file", {}).get(one.file) for one in plan.targets}
        for target in filter(lambda one: is_chosen(one, options.parts), plan.targets):
            by_file[target.file] = judge_file(tree, target, plan, before if options.alive else None)
            record = summarise({file: one for file, one in by_file.items() if one}, before.get("named", {}), plan.most)
            write_results(record, plan)
        named = {
            one.name: judge_named(tree, one) if is_chosen(one.target, options.parts) else before["named"][one.name]
            for one in plan.named
            if is_chosen(one.target, options.parts) or one.name in before.get("named", {})
        }
    record = summarise({file: one for file, one in by_file.items() if one}, named, plan.most)
    write_results(record, plan)
    by_hand = f"{sum(named.values())} of {len(named)} made by hand"
    print(f"{record['mutation_killed']:.1%} of {record['mutants']} mutants killed, {by_hand}")
    if record["mutation_killed"] < LEAST or not all(named.values()):
        sys.exit(f"expected {LEAST:.0%} of the mutants and all made by hand to be killed; see {PAGE}")
    if unexplained := list_unexplained(record, plan.reasons):
        sys.exit("\n".join(["expected a test that kills each, or a reason why it may live:", *unexplained]))


def is_chosen(target: Target, parts: list[str]) -> bool:
    """Whether a file is wanted: all are, without parts."""
    return not parts or any(part in target.file for part in parts)


def judge_file(tree: Path, target: Target, plan: Plan, before: Record | None) -> Record:
    """Return what came of a file's mutants; with a record, those that it calls killed stay so."""
    text = (tree / target.file).read_text("utf-8")
    mutants = list_mutants(target.file, text, plan.most, plan.seed)
    seconds = measure_seconds(tree, target)
    print(f"{target.file}: {len(mutants)} mutants, {seconds:.1f} s of tests", flush=True)
    before = before if before and is_known(before, target.file, text, len(mutants)) else None
    outcomes: list[tuple[Mutant, bool]] = []
    for mutant in mutants:
        killed = before is not None and not is_alive(before, mutant)
        killed = killed or is_killed(tree, target, mutant.text, seconds)
        outcomes.append((mutant, killed))
        if not killed:
            print(f"  alive: line {mutant.line}: {mutant.name}", flush=True)
    return describe_file(outcomes, text)


def judge_named(tree: Path, named: Named) -> bool:
    """Return whether the tests kill a mutant that was made by hand."""
    text = (tree / named.target.file).read_text("utf-8")
    if text.count(named.old) != 1:
        sys.exit(f"expected {named.old!r} once in {named.target.file}, for the mutant {named.name!r}; correct {PLAN}")
    mutant = describe_change(named.target.file, text, text.replace(named.old, named.new))
    killed = is_killed(tree, named.target, mutant.text, measure_seconds(tree, named.target))
    print(f"{'killed' if killed else 'ALIVE'}: {named.name}", flush=True)
    return killed


def write_results(record: Record, plan: Plan) -> None:
    """Write the record and the page, and which files of the list have not been judged."""
    record = {**record, "not judged": [one.file for one in plan.targets if one.file not in record["by file"]]}
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(write_page(record, plan.reasons), "utf-8")


if __name__ == "__main__":
    main()
