"""A folder for work in progress that a killed stage finds again.

DVC removes a stage's outputs before it reruns the stage, and its `persist: true` would switch the run cache
off and let queued experiments go on from each other's checkpoints. So checkpoints lie outside of DVC, keyed
by everything that the result depends on: only a rerun of exactly the same work finds them.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from efficientad.pipeline.locks import alone_at

SCRATCH_VARIABLE = "EFFICIENTAD_SCRATCH"  # set it to an absolute path to share it with queued experiments


@contextmanager
def open_scratch(
    stage: str, key: Mapping[str, object], inputs: Iterable[Path], may_delete: Callable[[], bool] = lambda: True
) -> Iterator[Path]:
    """Yield the folder of this very work; it is removed when the block ends without an exception.

    Of several processes that share the folder one removes it: `may_delete`, called then, waits for all and says which.

    The folder's name holds a hash of `key` (params and matrix item, JSON values), of the package's modules
    imported so far, and of the files `inputs`. It lies below $EFFICIENTAD_SCRATCH, or .scratch. Another process at the
    same work is waited for.
    """
    root = Path(os.environ.get(SCRATCH_VARIABLE, ".scratch"))
    name = f"{stage}-{_hash_work(key, inputs)[:16]}"
    folder = root / name
    with alone_at(root / f"{name}.lock", name):
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        if may_delete():
            shutil.rmtree(folder)


def _hash_work(key: Mapping[str, object], inputs: Iterable[Path]) -> str:
    digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode())
    for path in [*_list_modules(), *inputs]:
        digest.update(_hash_file(path).encode())
    return digest.hexdigest()


def _list_modules() -> list[Path]:
    package = __name__.split(".")[0]
    files = (
        getattr(module, "__file__", None)
        for name, module in sorted(sys.modules.items())
        if name == package or name.startswith(f"{package}.")
    )
    return [Path(file) for file in files if file]


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
