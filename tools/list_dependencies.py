"""Rewrite the code dependencies in dvc.yaml from the import statements of the stages' scripts.

`python tests/list_dependencies.py`, or with --check to be told only.
"""

import re
import sys

from import_closure import ROOT, find_closure


def rewrite(text: str) -> str:
    """Put, behind each stage's `- stages/NAME.py`, the sorted package files that it imports."""
    text = re.sub(r"      - src/efficientad/\S+\.py\n", "", text)

    def expand(match: re.Match[str]) -> str:
        files = sorted(f.relative_to(ROOT).as_posix() for f in find_closure(ROOT / match[1]))
        return match[0] + "".join(f"      - {file}\n" for file in files)

    return re.sub(r"      - (stages/\w+\.py)\n", expand, text)


if __name__ == "__main__":
    file = ROOT / "dvc.yaml"
    text = file.read_text("utf-8")
    if "--check" in sys.argv and rewrite(text) != text:
        sys.exit("dvc.yaml does not name the files that the stages import; run `make format`")
    file.write_text(rewrite(text), "utf-8")
