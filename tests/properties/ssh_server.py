"""An OpenSSH server of one test: its own host key, its own client key, an unprivileged port of 127.0.0.1."""

import getpass
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ports import find_ports, wait_for

SERVER = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin")
SETTINGS = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/client_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True)
class Login:
    """What a client needs."""

    user: str
    port: int
    key: Path


@contextmanager
def run_sshd(folder: Path) -> Iterator[Login]:
    """Yield the login of a server that runs as this user; it ends with the block."""
    folder.mkdir()
    for name in ("host_key", "client_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (port,) = find_ports(1)
    (folder / "sshd_config").write_text(SETTINGS.format(port=port, folder=folder))
    Path("/run/sshd").exists() or Path("/run/sshd").mkdir()  # of its privilege separation, where root runs it
    log = (folder / "log").open("w")
    process = subprocess.Popen([str(SERVER), "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    try:
        wait_for(port, process)
        yield Login(getpass.getuser(), port, folder / "client_key")
    finally:
        process.terminate()
        process.wait()
        log.close()
