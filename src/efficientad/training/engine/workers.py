"""Several processes at one training, as torchrun starts them.

The first of them prepares what all read from the scratch folder and writes the results; on several nodes that folder
must lie on a file system that they share.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from efficientad.errors import ParamsError

T = TypeVar("T")
_PATIENCE = timedelta(hours=12)  # the others wait for the first one's preparations


@dataclass(frozen=True)
class Share:
    """This process's part of each batch: one of `processes` equal parts."""

    rank: int = 0
    processes: int = 1

    def cut(self, batch_size: int) -> slice:
        """Return the images of a batch that this process works on; ParamsError when they cannot be shared evenly."""
        if batch_size % self.processes:
            raise ParamsError(
                f"expected a batch_size that {self.processes} processes can share evenly, got {batch_size}; in "
                f"params.yaml set it to a multiple of {self.processes} (docs/several-machines.md), or start fewer"
            )
        size = batch_size // self.processes
        return slice(self.rank * size, (self.rank + 1) * size)


@dataclass(frozen=True)
class Workers:
    """Who this process is among all; alone without torchrun."""

    rank: int = 0
    processes: int = 1
    local_processes: int = 1

    @property
    def nodes(self) -> int:
        """On how many machines they run, the same number on each."""
        return self.processes // self.local_processes

    @property
    def is_first(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    @property
    def share(self) -> Share:
        """This process's part of each batch."""
        return Share(self.rank, self.processes)

    def finish_together(self) -> bool:
        """Wait until all processes have come here; return whether this is the one that clears up."""
        if self.processes > 1:
            dist.barrier()
        return self.is_first


def find_workers() -> Workers:
    """Read what torchrun says in the environment."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
    if not all(name in os.environ for name in names):
        return Workers()
    return Workers(*(int(os.environ[name]) for name in names))


@contextmanager
def join_workers() -> Iterator[Workers]:
    """Open the process group, gloo on processors and nccl on GPUs, and close it at the end; nothing when alone."""
    workers = find_workers()
    if workers.processes == 1:
        yield workers
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=_PATIENCE)
    try:
        yield workers
    finally:
        dist.destroy_process_group()


def gather(tensor: Tensor) -> Tensor:
    """Return the tensors (n, ..) of all processes, of one shape, one after the other; the tensor itself when alone."""
    processes = find_workers().processes
    if processes == 1:
        return tensor
    tensors = [torch.empty_like(tensor) for _ in range(processes)]
    dist.all_gather(tensors, tensor)
    return torch.cat(tensors)


@contextmanager
def first_alone() -> Iterator[None]:
    """Let the first process go through the block while the others wait; then they go through, and find it done."""
    workers = find_workers()
    if not workers.is_first:
        dist.barrier()
    yield
    if workers.is_first and workers.processes > 1:
        dist.barrier()


def agree(choose: Callable[[], T]) -> T:
    """Return what the first process chooses, in all processes; the others do not choose."""
    workers = find_workers()
    if workers.processes == 1:
        return choose()
    chosen = [choose() if workers.is_first else None]
    dist.broadcast_object_list(chosen)
    (value,) = chosen
    return value  # type: ignore[return-value]
