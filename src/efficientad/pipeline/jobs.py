"""Stages of a DVC pipeline as jobs that may run side by side. It translates: DVC knows what is to be done."""

import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

Job = list[list[str]]  # commands, each a program and its arguments, that follow each other; no shell reads them
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


def reproduce(stages: Sequence[str]) -> Job:
    """Return the job that runs these stages, in this order, if they changed; nothing that stands before them.

    >>> reproduce(["fit@S-a", "export@S-a"])
    [['dvc', '--wait-for-lock', 'repro', '--single-item', 'fit@S-a', 'export@S-a']]
    """
    return [["dvc", "--wait-for-lock", "repro", "--single-item", *stages]]


def run_by_torchrun(stage: str, script: Sequence[str], options: str) -> Job:
    """Return the job that runs a stage's script in several processes, and tells DVC; `options` of torchrun.

    >>> run_by_torchrun("distill@S", ["distill.py", "S"], "--nproc-per-node 2")[0]
    ['torchrun', '--nproc-per-node', '2', 'distill.py', 'S']
    """
    return [
        ["torchrun", *shlex.split(options), *script],
        ["dvc", "--wait-for-lock", "commit", "--force", stage],
    ]


def submit(job: Job, options: str, log: str) -> Job:
    """Return the job that gives another one to SLURM and waits for its end; `options` of sbatch.

    A job of SLURM is a script: its commands are quoted for the shell that reads it.

    >>> submit([["torchrun", "a b"], ["dvc", "commit"]], "--mem 8G", "%j.log")[0][-2:]
    ['--wrap', "torchrun 'a b' && dvc commit"]
    """
    script = " && ".join(shlex.join(command) for command in job)
    return [["sbatch", "--wait", *shlex.split(options), "--output", log, "--wrap", script]]


def run_side_by_side(jobs: Mapping[str, Job], at_once: int, environment: Mapping[str, str]) -> list[str]:
    """Run jobs, `at_once` of them at a time; return the keys of those that failed.

    What they print is passed on at once, each line behind its key. A command that fails ends its job and leaves the
    other jobs alone.
    """

    def run(name: str) -> bool:
        return all(_run_command(name, command, environment) == 0 for command in jobs[name])

    with ThreadPoolExecutor(at_once) as pool:
        return [name for name, has_ended_well in zip(jobs, pool.map(run, jobs), strict=True) if not has_ended_well]


def _run_command(name: str, command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Return the exit status; 127, as a shell has it, and a line that says so where there is no such program."""
    program = shutil.which(command[0], path=environment.get("PATH"))
    if program is None:
        print(f"{name} | expected the program {command[0]} on the PATH, got none; install it", flush=True)
        return 127
    with subprocess.Popen([program, *command[1:]], env=environment, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:  # fmt: skip
        for line in process.stdout or ():
            print(f"{name} | {line}", end="", flush=True)
    return process.returncode
