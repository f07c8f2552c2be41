"""Mutants of a source file, by the operators of cosmic-ray: one for each place, of places a seeded sample."""

import ast
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

import cosmic_ray.ast
import cosmic_ray.mutating
import cosmic_ray.plugins

# Operators that stand for one another where they make sense of the same values; + and << do not.
_ALIKE = ({"Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow"}, {"BitOr", "BitAnd", "BitXor"}, {"LShift", "RShift"})
# `is` in place of `==` is an error that ruff finds; names in place of names need a list of them.
_LEFT_OUT = ("_Is", "_IsNot", "VariableReplacer", "VariableInserter")

Position = tuple[int, int]  # line from 1, column from 0


@dataclass(frozen=True)
class Mutant:
    """A source text with one fault; `before` and `after` are the lines that differ, without their indentation."""

    file: str  # below the root, posix
    line: int  # from 1
    before: str
    after: str
    text: str

    @property
    def name(self) -> str:
        """What the page and the list of reasons call it, wherever the line stands."""
        return f"{self.before} -> {self.after}"


@dataclass(frozen=True)
class _Candidate:
    operator: str
    occurrence: int
    start: Position


def list_mutants(file: str, text: str, most: int, seed: int) -> list[Mutant]:
    """Return up to `most` mutants of a file's text, in the order of its lines.

    Of what one place can become, one is drawn; of the places, `most`. Left out are annotations, which nothing runs,
    decorators of classes, whose `frozen` mypy checks, `strict` of zip, the words of errors, and what would not compile.
    """
    rng = random.Random(f"{seed} {file}")
    places: dict[tuple[str, Position], list[_Candidate]] = {}
    skipped = _find_unused(text)
    for one in _list_candidates(text):
        if not any(first <= one.start < last for first, last in skipped):
            places.setdefault((_name_family(one.operator), one.start), []).append(one)
    drawn = [rng.choice(candidates) for _, candidates in sorted(places.items())]
    rng.shuffle(drawn)
    mutants: list[Mutant] = []
    for candidate in drawn:
        mutant = _mutate(file, text, candidate)
        if mutant is not None and len(mutants) < most:
            mutants.append(mutant)
    return sorted(mutants, key=lambda mutant: (mutant.line, mutant.name))


def describe_change(file: str, text: str, changed: str) -> Mutant:
    """Return the mutant that another text of a file is."""
    old, new = text.splitlines(), changed.splitlines()
    first = next(place for place, (one, other) in enumerate(zip(old, new, strict=False)) if one != other)
    last = next(place for place, (one, other) in enumerate(zip(old[::-1], new[::-1], strict=False)) if one != other)
    before, after = (_join(lines[first : max(first + 1, len(lines) - last)]) for lines in (old, new))
    return Mutant(file, first + 1, before, after, changed)


def _join(lines: list[str]) -> str:
    """Return lines of code as one, without their comments."""
    joined = " ".join(re.sub(r"\s+# .*", "", line).strip() for line in lines)
    return re.sub(r"(?<=[(\[ ]) +(?=[-\d])", "", joined)  # cosmic-ray puts a space before a number


def _list_candidates(text: str) -> Iterator[_Candidate]:
    nodes = list(cosmic_ray.ast.ast_nodes(cosmic_ray.ast.get_ast(text)))
    for name in cosmic_ray.plugins.operator_names():
        if name.endswith(_LEFT_OUT) or not _is_sensible(name):
            continue
        operator = cosmic_ray.plugins.get_operator(name)()
        positions = [start for node in nodes for start, _ in operator.mutation_positions(node)]
        yield from (_Candidate(name, occurrence, start) for occurrence, start in enumerate(positions))


def _is_sensible(name: str) -> bool:
    if "ReplaceBinaryOperator" not in name:
        return True
    _, old, new = name.rsplit("_", 2)
    return any({old, new} <= alike for alike in _ALIKE)


def _name_family(operator: str) -> str:
    return operator.split("/")[-1].split("_")[0]


def _mutate(file: str, text: str, candidate: _Candidate) -> Mutant | None:
    operator = cosmic_ray.plugins.get_operator(candidate.operator)()
    try:
        changed = cosmic_ray.mutating.mutate_code(text, operator, candidate.occurrence)
        if changed is None or changed == text:
            return None
        compile(changed, file, "exec")
    except (SyntaxError, AttributeError):  # the latter of cosmic-ray, at an exception with a dot in its name
        return None
    return describe_change(file, text, changed)


def _find_unused(text: str) -> list[tuple[Position, Position]]:
    """Return where annotations stand, decorators of classes, what is raised, and `strict` of zip."""
    found: list[ast.expr | ast.stmt | None] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            found += node.decorator_list
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(node.returns)
        elif isinstance(node, ast.arg | ast.AnnAssign):
            found.append(node.annotation)
        elif isinstance(node, ast.keyword) and node.arg == "strict":
            found.append(node.value)
        elif isinstance(node, ast.Raise):
            found.append(node)
    nodes = [one for one in found if one is not None]
    return [((one.lineno, max(0, one.col_offset - 1)), (one.end_lineno or 0, one.end_col_offset or 0)) for one in nodes]
