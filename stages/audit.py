"""Asks OSV, a public list, for known vulnerabilities of the packages that constraints.txt pins.

One that is known is an error. Without a network a line says so and the check passes: docs/decisions/0047.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

OSV = "https://api.osv.dev/v1/query"
_NO_ANSWER = re.compile(r"requests\.exceptions\.|ServiceError|ConnectionError|vulnerability feed|urllib3\.exceptions")


def main() -> None:
    """Print one line, or a line for each vulnerability and exit with code 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--constraints", type=Path, default=Path("constraints.txt"), help="packages, each pinned")
    parser.add_argument("--osv-url", default=OSV, help=f"where to ask; default: {OSV}")
    options = parser.parse_args()
    done = ask(options.constraints, options.osv_url)
    if not done.stdout.strip():
        words = done.stderr.strip().rpartition("\n")[2]
        if _NO_ANSWER.search(done.stderr):
            error = words.split(": ")[0].rpartition(".")[2]
            print(f"audit: {options.osv_url} could not be asked ({error}): no package was checked")
            return
        sys.exit(f"audit: expected an answer of pip-audit about {options.constraints}, got: {words}")
    if found := list_vulnerabilities(packages := json.loads(done.stdout)["dependencies"]):
        sys.exit("\n".join([*found, f"audit: raise these in pyproject.toml and {options.constraints}"]))
    print(f"audit: no known vulnerability in {len(packages)} packages")


def ask(constraints: Path, osv_url: str) -> subprocess.CompletedProcess[str]:
    """Run pip-audit on a file of pins; it asks for each of them and installs nothing."""
    command = [
        sys.executable, "-m", "pip_audit", "-r", str(constraints), "--no-deps", "--disable-pip",
        "-s", "osv", "--osv-url", osv_url, "--timeout=5", "--format=json", "--progress-spinner=off",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True)


def list_vulnerabilities(packages: list[dict[str, Any]]) -> list[str]:
    """Return a line for each vulnerability in pip-audit's answer.

    >>> list_vulnerabilities([{"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2", "3"]}]}])
    ['a 1: X-1, mended in 2, 3']
    """
    return [
        f"{one['name']} {one['version']}: {entry['id']}, mended in {', '.join(entry['fix_versions']) or 'none yet'}"
        for one in packages
        for entry in one["vulns"]
    ]


if __name__ == "__main__":
    main()
