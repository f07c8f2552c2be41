"""docs/properties.md names twenty properties, and each of their tests is one that `make properties` runs."""

import ast
import re

import pytest
from import_closure import ROOT
from markdown_pages import read_page

ROWS = re.findall(r"^\| (\d+) \| (.*?) \| (.*) \|$", read_page("docs/properties.md"), re.MULTILINE)
TESTS = [test for _, _, tests in ROWS for test in re.findall(r"`([\w/.]+::\w+)`", tests)]


def list_marked(file: str) -> set[str]:
    """Return the tests of a file that carry the marker `property`, or all where the file carries it."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    whole = any(isinstance(node, ast.Assign) and "mark.property" in ast.unparse(node) for node in tree.body)
    return {f.name for f in functions if whole or any("mark.property" in ast.unparse(d) for d in f.decorator_list)}


def test_there_are_twenty_and_each_has_a_test():
    assert [int(number) for number, _, _ in ROWS] == [*range(1, 21)]
    assert all("::" in tests for _, _, tests in ROWS)


@pytest.mark.parametrize("test", TESTS)
def test_a_named_test_exists_and_is_marked(test):
    file, name = test.split("::")
    assert name in list_marked(file)
