"""Writes what changed since another commit, for a pull request: summary.md, contact sheets and plots in a folder."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from efficientad.pipeline.layout import SUMMARY, list_items
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import read_json, run_stage
from efficientad.pipeline.writing import write_bytes, write_text
from efficientad.reporting.changes import draw_bars, list_moved, render_table


def main() -> None:
    """Compare the workspace with a commit of git."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", help="commit to compare with, such as origin/main")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tolerance", type=float, help="fail when a metric of an item moved by more")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    now, before = read_json(SUMMARY), json.loads(run("git", "show", f"{options.base}:{SUMMARY.as_posix()}") or "{}")
    page = render_page(now, before, options.base)
    write_text(options.folder / "summary.md", page)
    copy_sheets(options.folder)
    run("dvc", "plots", "diff", options.base, "--out", str(options.folder / "plots"))
    print(page)
    if options.tolerance is not None and (moved := list_moved(now, before, options.tolerance)):
        sys.exit(f"moved by more than {options.tolerance}: " + "; ".join(moved))


def render_page(now: dict[str, Any], before: dict[str, Any], base: str) -> str:
    """Return the page in Markdown."""
    changed = run("dvc", "metrics", "diff", "--md", base, "--targets", SUMMARY.as_posix())
    params = run("dvc", "params", "diff", "--md", base)
    parts = ["## Accuracy in percent", render_table(now, before), draw_bars(now, before, "image_auroc")]
    parts += ["## Metrics that changed", changed or "None.\n", "## Params that changed", params or "None.\n"]
    return "\n".join(parts)


def copy_sheets(folder: Path) -> None:
    """Copy the contact sheets of all items that have one."""
    params = load_params()
    for item in list_items(params.sizes, params.categories, params.seeds):
        sheet = item.report / "sheet/contact_sheet.png"
        if sheet.is_file():
            write_bytes(folder / f"{item.name.replace('/', '-')}.png", sheet.read_bytes())


def run(program: str, *arguments: str) -> str:
    """Return what a program prints; nothing when the other commit does not have what is asked for."""
    command = [sys.executable, "-m", "dvc"] if program == "dvc" else [program]
    return subprocess.run([*command, *arguments], stdout=subprocess.PIPE, text=True, check=False).stdout


if __name__ == "__main__":
    run_stage(main)
