"""The page for people: docs/mutants.md."""

from typing import Any

from mutation.record import Reasons, Record

_HEAD = """# Mutants

Mutation testing puts one small fault after another into the code, such as `>=` for `>`, and runs the tests of that
file: a fault that no test sees is one that a person could make as well. `make mutants` does it; it takes hours.
[Decision 46](decisions/0046-mutants-of-what-decides-a-verdict.md) says by which tool and why.

It is a sample: of each file up to {most} mutants, drawn with a fixed seed, or the first of
them where a run asked for fewer. Of what a place can become one is drawn.
Annotations are left out, which nothing runs, and so are decorators of classes, `strict` of zip, and words of errors.
A mutant that makes the tests run far too long counts as killed. Each file is judged by the fast tests that mirror it,
listed in `benchmarks/mutants.toml`, not by all tests: what another test would see counts as alive here.
`make mutants` fails where a mutant lives for which no reason is given below.

**{killed} of {count} mutants are killed: {share:.1%}.** The bar is 85 %.
"""
_NAMED = """## Made by hand

{killed} of {count} faults made by hand, those of an audit and some like them, are killed. They stay in the list:
`make mutants` fails where one lives.
"""


def write_page(record: Record, reasons: Reasons) -> str:
    """Return the page: the figures by file, then each mutant that lives, with the reason where there is one."""
    by_file: dict[str, Any] = record["by file"]
    killed = sum(one["killed"] for one in by_file.values())
    most = record["most of a file"]
    head = _HEAD.format(most=most, killed=killed, count=record["mutants"], share=record["mutation_killed"])
    rows = [f"| `{_shorten(file)}` | {one['mutants']} | {one['killed']} |" for file, one in by_file.items()]
    lines = [head, "| File | Mutants | Killed |", "| --- | ---: | ---: |", *rows, ""]
    if record.get("not judged"):
        lines += [f"Not judged yet: {', '.join(f'`{_shorten(file)}`' for file in record['not judged'])}.", ""]
    named: dict[str, bool] = record["named"]
    lines += [_NAMED.format(killed=sum(named.values()), count=len(named))]
    lines += [f"- {name}: {'killed' if killed else '**alive**'}" for name, killed in named.items()]
    lines += ["", "## Alive, and why", ""]
    for file, one in by_file.items():
        if one["alive"]:
            lines += [f"### `{_shorten(file)}`", "", *(_describe(file, each, reasons) for each in one["alive"]), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _describe(file: str, alive: Record, reasons: Reasons) -> str:
    reason = reasons.get((file, f"{alive['before']} -> {alive['after']}"), "**no test sees it yet.**")
    return f"- line {alive['line']}: `{alive['before']}` → `{alive['after']}`: {reason}"


def _shorten(file: str) -> str:
    return file.removeprefix("src/efficientad/")
