"""Runs the pipeline with the items of the matrix side by side: on this machine, or as jobs of SLURM.

It translates and schedules nothing: `dvc repro` decides what is to be done, and the machine or SLURM when.
docs/several-machines.md has examples.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from efficientad.pipeline.dvc_command import ask_dvc, list_stages
from efficientad.pipeline.jobs import Job, Wave, list_waves, reproduce, run_by_torchrun, run_side_by_side, submit
from efficientad.pipeline.params_file import check_for_dvc
from efficientad.pipeline.stops import told_in_a_line

LOG = ".scratch/slurm-%j.log"
# Processes that share the cores do not spin while they wait for each other; no result depends on it.
ENVIRONMENT = {"OMP_WAIT_POLICY": "passive"} | os.environ
ENVIRONMENT["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def main() -> None:
    """Exit with code 1 at the first wave in which a job failed, when all jobs of that wave have ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="at once; default: one a core")
    parser.add_argument("--slurm", metavar="OPTIONS", help="submit each job; options of sbatch, such as '-c 4'")
    parser.add_argument("--torchrun", metavar="OPTIONS", help="distil by torchrun, such as '--nproc-per-node 2'")
    options = parser.parse_args()
    if not options.jobs or options.jobs < 1:
        parser.error(f"--jobs: expected 1 or more, got {options.jobs}")
    check_for_dvc()
    Path(LOG).parent.mkdir(exist_ok=True)
    for wave in list_waves(list_stages()):
        failed = run_side_by_side(translate(wave, options.slurm, options.torchrun), options.jobs, ENVIRONMENT)
        if failed:
            sys.exit(f"failed: {', '.join(failed)}; what they say stands above, or in {LOG}. Mend it and start again")


def translate(wave: Wave, slurm: str | None, torchrun: str | None) -> dict[str, Job]:
    """Return a job for each item that has something to do."""
    jobs = {item or stages[0]: reproduce(stages) for item, stages in wave.items()}
    for item, stages in wave.items():
        if torchrun and stages[0].startswith("distill@") and item != "L":  # L's backbone is finished
            jobs[item] = run_by_torchrun(stages[0], ["stages/distill.py", item], torchrun)
            if json.loads(ask_dvc("status", "--json", stages[0])) == {}:
                del jobs[item]
    return jobs if slurm is None else {name: submit(job, slurm, LOG) for name, job in jobs.items()}


if __name__ == "__main__":
    with told_in_a_line():
        main()
