"""A SeaweedFS of one test: an object store with a bucket and an account, on free ports of 127.0.0.1."""

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ports import find_ports, wait_until

SERVER = shutil.which("weed", path=os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"])))
BUCKET = "store"
PARTS = ("master", "volume", "filer", "s3")
# No statistics to its makers, no catalogs of tables. Of the default's eight volumes a bucket takes seven at once.
SETTINGS = ("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false",
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=100")  # fmt: skip


@dataclass(frozen=True)
class Account:
    """What a client needs, by the names of DVC's settings."""

    endpointurl: str
    access_key_id: str = "tester"
    secret_access_key: str = "known-to-all"
    region: str = "us-east-1"

    def connect(self):
        """Return a client of AWS's own library."""
        from botocore.session import get_session

        return get_session().create_client("s3", self.region, endpoint_url=self.endpointurl,
            aws_access_key_id=self.access_key_id, aws_secret_access_key=self.secret_access_key)  # fmt: skip

    def list_keys(self, prefix: str) -> list[str]:
        """Return the names of the first thousand objects that begin so."""
        objects = self.connect().list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [entry["Key"] for entry in objects.get("Contents", [])]


@contextmanager
def run_s3(folder: Path) -> Iterator[Account]:
    """Yield the one account of a store that keeps its files in the folder; it ends with the block."""
    (folder / "files").mkdir(parents=True)
    ports = find_ports(2 * len(PARTS))
    account = Account(f"http://127.0.0.1:{ports[-2]}")
    (folder / "accounts.json").write_text(json.dumps({"identities": [describe(account)]}))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(build_command(folder, ports), cwd=folder, stdout=log, stderr=log)
        try:
            make_bucket(account, process)
            yield account
        finally:
            process.kill()  # an orderly end takes fifteen seconds, for files that nobody reads again
            process.wait()
            remove_sockets(ports)


def describe(account: Account) -> dict[str, object]:
    """Return the account as the server's file names it."""
    credentials = {"accessKey": account.access_key_id, "secretKey": account.secret_access_key}
    return {"name": "tester", "credentials": [credentials], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}


def build_command(folder: Path, ports: list[int]) -> list[str]:
    """Return the command of one process with all parts; each listens for HTTP and for gRPC."""
    names = [f"{part}.{port}" for part in PARTS for port in ("port", "port.grpc")]
    listen = [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
    files = (f"-dir={folder}/files", f"-s3.config={folder}/accounts.json")
    return [str(SERVER), "server", "-s3", *SETTINGS, *listen, *files]


def make_bucket(account: Account, process: subprocess.Popen[bytes]) -> None:
    """Return when the store has its bucket and takes a first object, for which it needs all parts."""
    client = account.connect()
    wait_until(lambda: is_done(lambda: client.create_bucket(Bucket=BUCKET)), process)
    wait_until(lambda: is_done(lambda: client.put_object(Bucket=BUCKET, Key="first", Body=b"1")), process)


def is_done(call: Callable[[], object]) -> bool:
    """Return whether the store did what was asked, and was there to ask."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        call()
    except (BotoCoreError, ClientError):
        return False
    return True


def remove_sockets(ports: list[int]) -> None:
    """Remove what the server leaves in /tmp, where it alone decides."""
    for port in ports:
        for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
            socket.unlink()
