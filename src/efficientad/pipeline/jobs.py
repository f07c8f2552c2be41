"""Stages of a DVC pipeline as jobs that may run side by side. It translates: DVC knows what is to be done."""

import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

Wave = dict[str, list[str]]  # the names of stages, by the item that they belong to; items do not wait for each other


def list_waves(names: Iterable[str]) -> list[Wave]:
    """Return the waves that follow each other, from names of stages in the order of dvc.yaml.

    Neighbours that have the same items are one wave: an item's stages follow each other in one job.

    >>> list_waves(["prepare@a", "prepare@b", "fit@S-a", "fit@S-b", "export@S-a", "export@S-b", "summary"])[1:]
    [{'S-a': ['fit@S-a', 'export@S-a'], 'S-b': ['fit@S-b', 'export@S-b']}, {'': ['summary']}]
    """
    stages: dict[str, dict[str, str]] = {}
    for name in names:
        stage, _, item = name.partition("@")
        stages.setdefault(stage, {})[item] = name
    waves: list[Wave] = []
    for items in stages.values():
        if not waves or waves[-1].keys() != items.keys():
            waves.append({item: [] for item in items})
        for item, name in items.items():
            waves[-1][item].append(name)
    return waves


def reproduce(stages: Sequence[str]) -> str:
    """Return the shell's line that runs these stages, in this order, if they changed; nothing that stands before them.

    >>> reproduce(["fit@S-a", "export@S-a"])
    'dvc --wait-for-lock repro --single-item fit@S-a export@S-a'
    """
    return shlex.join(["dvc", "--wait-for-lock", "repro", "--single-item", *stages])


def run_by_torchrun(stage: str, script: Sequence[str], options: str) -> str:
    """Return the shell's line that runs a stage's script in several processes, and tells DVC; `options` of torchrun.

    >>> run_by_torchrun("distill@S", ["stages/distill.py", "S"], "--nproc-per-node 2")
    'torchrun --nproc-per-node 2 stages/distill.py S && dvc --wait-for-lock commit --force distill@S'
    """
    return f"torchrun {options} {shlex.join(script)} && dvc --wait-for-lock commit --force {stage}"


def submit(line: str, options: str, log: str) -> str:
    """Return the shell's line that runs another one as a job of SLURM and waits for its end; `options` of sbatch.

    >>> submit("dvc repro", "--cpus-per-task 4", "%j.log")
    "sbatch --wait --cpus-per-task 4 --output %j.log --wrap 'dvc repro'"
    """
    return shlex.join(["sbatch", "--wait", *shlex.split(options), "--output", log, "--wrap", line])


def run_side_by_side(lines: Mapping[str, str], at_once: int, environment: Mapping[str, str]) -> list[str]:
    """Run lines of the shell, `at_once` of them at a time; return the keys of those that failed.

    What they print is passed on at once, each line behind its key. A failure leaves the others alone.
    """

    def run(name: str) -> int:
        with subprocess.Popen(lines[name], shell=True, env=environment, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:  # fmt: skip
            for line in process.stdout or ():
                print(f"{name} | {line}", end="", flush=True)
        return process.returncode

    with ThreadPoolExecutor(at_once) as pool:
        return [name for name, code in zip(lines, pool.map(run, lines), strict=True) if code]
