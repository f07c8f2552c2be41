"""Which code made a model: a hash of the source files that its export runs.

A commit's name would differ in every clone that has one commit more, and with it each exported file. Here an edit
counts where the export runs what was edited, committed or not, and no git is asked.
"""

import ast
import hashlib
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
# No result depends on these, as dvc.yaml has it: what the pipeline reads from params reaches the others as a value.
_PASSED_OVER = ("pipeline", "errors")


def hash_code(script: Path, package: Path = PACKAGE) -> str:
    """Return the sha256 of a script and of the files of `package` that it imports, directly or not.

    Of each file its name and text count; how its lines end does not, which git may change.
    """
    digest = hashlib.sha256()
    for file in [script, *sorted(list_files(script, package))]:
        name = file.name if file == script else file.relative_to(package).as_posix()
        text = file.read_text("utf-8").encode()  # with \n at the ends of lines, whatever the file has
        digest.update(f"{name} {len(text)}\n".encode() + text)
    return digest.hexdigest()


def list_files(script: Path, package: Path = PACKAGE) -> set[Path]:
    """Return the files of `package` that a script imports, directly or not, also inside of functions.

    Left out are `__init__` files, which hold no code, the pipeline's folder and errors.
    """
    files: set[Path] = set()
    waiting = [script]
    while waiting:
        imported = _list_imports(waiting.pop(), package) - files
        files |= imported
        waiting += imported
    return files


def _list_imports(file: Path, package: Path) -> set[Path]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = [module.split(".") for module in modules]
    own = [names[1:] for names in parts if names[0] == package.name and len(names) > 1 and names[1] not in _PASSED_OVER]
    files = [package.joinpath(*names).with_suffix(".py") for names in own]
    return {path for path in files if path.is_file()}
