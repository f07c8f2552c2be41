"""The C++ programs, run on files."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Build:
    """Where the programs lie that CMake built."""

    folder: Path

    def infer(self, *arguments: object) -> subprocess.CompletedProcess:
        return self.run("efficientad_infer", *arguments)

    def run(self, program: str, *arguments: object) -> subprocess.CompletedProcess:
        command = [str(self.folder / program), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    def judge(self, *arguments: object) -> list[dict]:
        return [json.loads(line) for line in self.infer(*arguments, "--json").stdout.splitlines()]


def find_missing() -> list[str]:
    """List the tools of cpp/README.md that this machine does not have."""
    compiler = next(filter(shutil.which, ("c++", "g++", "clang++")), None)
    missing = [] if shutil.which("cmake") else ["cmake"]
    if compiler is None:
        return [*missing, "a C++ compiler"]
    for header in ("opencv2/imgcodecs.hpp", "nlohmann/json.hpp", "openssl/evp.h"):
        command = [compiler, "-E", "-x", "c++", "-std=c++17", "-I/usr/include/opencv4", "-"]
        source = f"#if !__has_include(<{header}>)\n#error missing\n#endif\n"
        if subprocess.run(command, input=source, text=True, capture_output=True).returncode:
            missing.append(header)
    return missing
