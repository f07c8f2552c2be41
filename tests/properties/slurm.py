"""SLURM on this machine alone, as Debian packages it (slurm-wlm, munge): its daemons, started for a test."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ports import find_ports, is_answering, wait_until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
SETTINGS = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthInfo=socket={munge}
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def is_installed() -> bool:
    """Return whether the daemons are there, and this user may run jobs as SLURM does."""
    return os.geteuid() == 0 and all(shutil.which(program, path=_path()) for program in PROGRAMS)


@contextmanager
def run_slurm(folder: Path) -> Iterator[dict[str, str]]:
    """Yield what the environment needs so that `sbatch` finds this SLURM; the daemons end with the block."""
    host = socket.gethostname().split(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    ports, munge = find_ports(2), folder / "munge.socket"
    is_ready = {
        "munged": munge.exists,
        "slurmctld": lambda: is_answering(ports[0]),
        "slurmd": lambda: is_answering(ports[1]),
    }
    settings = folder / "slurm.conf"
    settings.write_text(SETTINGS.format(host=host, folder=folder, munge=munge, ports=ports, cpus=os.cpu_count()))
    (folder / "key").write_bytes(os.urandom(128))
    (folder / "key").chmod(0o400)
    environment = {"SLURM_CONF": str(settings), "PATH": _path()}
    munged = ["munged", "--foreground", "--force", f"--socket={munge}", f"--key-file={folder}/key",
              f"--pid-file={folder}/munged.pid", f"--seed-file={folder}/seed",
              f"--log-file={folder}/munged.log"]  # fmt: skip
    with ExitStack() as stack:
        for command in (munged, ["slurmctld", "-D"], ["slurmd", "-D", "-N", host]):
            log = stack.enter_context((folder / f"{command[0]}.out").open("w"))
            process = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            wait_until(is_ready[command[0]], process)
        yield environment


def _path() -> str:
    return os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
