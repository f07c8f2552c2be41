"""Puts vega's scripts into .dvc/page.html, the frame of `dvc plots show`, so that it needs no network.

    npm pack vega@5.33.0 vega-lite@5.23.0 vega-embed@6.29.0
    python benchmarks/ship_vega.py vega-5.33.0.tgz vega-lite-5.23.0.tgz vega-embed-6.29.0.tgz

The frame around them is edited by hand.
"""

import argparse
import json
import re
import tarfile
from pathlib import Path

FRAME = Path(".dvc/page.html")
SCRIPTS = re.compile(r"(<!-- scripts: .*? -->\n)(.*?)(<!-- end of the scripts -->)", re.DOTALL)


def main() -> None:
    """Read npm's archives, in the order in which a page loads them; replace what stands between the two comments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archives", nargs=3, type=Path)
    scripts = "".join(format_script(archive) for archive in parser.parse_args().archives)
    frame = FRAME.read_text("utf-8")
    FRAME.write_text(SCRIPTS.sub(lambda found: found[1] + scripts + found[3], frame), encoding="utf-8", newline="")


def format_script(archive: Path) -> str:
    """Return a script's element, with the package's licence above it."""
    package = json.loads(read_member(archive, "package.json"))
    name, version = package["name"], package["version"]
    licence = read_member(archive, "LICENSE").strip()
    script = read_member(archive, f"build/{name}.min.js").strip()
    script = re.sub(r"\n//# sourceMappingURL=.*", "", script)
    if "</script" in script or "*/" in licence:
        raise SystemExit(f"expected a script of {name} that can stand in a page, got one that would end it")
    return f"<script>\n/* {name} {version}\n\n{licence}\n*/\n{script}\n</script>\n"


def read_member(archive: Path, name: str) -> str:
    """Return a text file of a package."""
    with tarfile.open(archive) as package:
        member = package.extractfile(f"package/{name}")
        assert member is not None
        return member.read().decode("utf-8")


if __name__ == "__main__":
    main()
