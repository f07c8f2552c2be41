"""Which of the package's files a script depends on, read from the import statements."""

import ast
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"


def find_closure(script: Path, untracked: Sequence[Path] = ()) -> set[Path]:
    """Return the package files that `script` imports, directly or not, also inside of functions.

    Files in `untracked` folders are left out, and what only they import.
    """
    closure: set[Path] = set()
    waiting = [script]
    while waiting:
        for file in list_imports(waiting.pop()):
            if file not in closure and not any(file.is_relative_to(place) for place in untracked):
                closure.add(file)
                waiting.append(file)
    return closure


def list_imports(file: Path) -> set[Path]:
    """Return the package files that a file names in its import statements."""
    files: set[Path] = set()
    for name in list_imported_names(file):
        if name.split(".")[0] == "efficientad":
            files |= _find_files(name)
    return files


def list_imported_names(file: Path) -> set[str]:
    """Return dotted names of everything that a file imports; `from a import b` gives a and a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def _find_files(dotted: str) -> set[Path]:
    """Return the file of a module; `__init__` files hold no code (tests/test_layers.py) and are left out."""
    path = SOURCE.joinpath(*dotted.split(".")).with_suffix(".py")
    return {path} if path.is_file() else set()
