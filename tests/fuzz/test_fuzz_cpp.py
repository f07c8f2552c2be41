"""The readers of cpp/ on changed files, watched by the sanitizers of addresses and of undefined behaviour."""

import os
import shutil
import subprocess

import pytest
from cpp_program import find_missing
from import_closure import ROOT
from test_fuzz_readers import encode_seeds

SOURCES = ["fuzz/readers.cpp", "src/container.cpp", "src/tiff.cpp", "src/metadata.cpp"]
SECONDS, LONG_SECONDS = 3, 120


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    for number, payload in enumerate(encode_seeds()):
        (folder / str(number)).write_bytes(payload)
    return folder


def build(compiler: str, sanitizers: str, target, *options: str) -> None:
    if missing := find_missing():
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        stop(f"expected {', '.join(missing)} to build the C++ readers; cpp/README.md names the packages")
    files = [str(ROOT / "cpp" / name) for name in SOURCES]
    include = [f"-I{ROOT / 'cpp/include'}", "-I/usr/include/opencv4"]
    flags = ["-std=c++17", "-O1", "-g", f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"]
    run = subprocess.run(
        [compiler, *flags, *options, *include, *files, "-lz", "-o", str(target)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_no_changed_file_makes_the_readers_leave_their_memory(seeds, tmp_path):
    build("g++", "address,undefined", tmp_path / "readers", "-DREPLAY")
    command = [str(tmp_path / "readers"), str(SECONDS), *map(str, seeds.iterdir())]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-3000:]
    assert int(run.stdout.split()[0]) > 1000


@pytest.mark.long
def test_no_file_that_coverage_leads_to_does_either(seeds, tmp_path):
    if shutil.which("clang++") is None:
        pytest.skip("expected clang++ with libFuzzer, found none: apt-get install clang libclang-rt-14-dev")
    build("clang++", "fuzzer,address,undefined", tmp_path / "fuzzer")
    options = [f"-max_total_time={LONG_SECONDS}", "-max_len=4096", "-seed=1", "-rss_limit_mb=1500", "-timeout=10"]
    run = subprocess.run([str(tmp_path / "fuzzer"), *options, str(seeds)], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
