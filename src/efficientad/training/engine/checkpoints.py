"""The checkpoint that an interrupted training goes on from: whole on the disk, or not there."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback

from efficientad.pipeline.stops import restore_handlers
from efficientad.pipeline.writing import write_bytes

CHECKPOINT_NAME = "resume.ckpt"
# What torch.load raises for a file that was cut short or overwritten.
DAMAGED = (
    RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, pickle.UnpicklingError, zipfile.BadZipFile,
)  # fmt: skip


class Checkpoints(TorchCheckpointIO):
    """Writes checkpoints as every other result; Lightning's own way moves a file between file systems."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Replace the checkpoint at `path`."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_bytes(Path(path), content.getvalue())


class KeepHandlers(Callback):
    """Puts the handlers of signals back: under Lightning's own, SIGTERM ends a training as if it were complete."""

    def __init__(self, handlers: dict[Any, Any]) -> None:
        self.handlers = handlers

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Lightning has set its handlers by now, and takes them away at its end."""
        restore_handlers(self.handlers)


def find_checkpoint(scratch: Path) -> Path | None:
    """Return the checkpoint in a scratch folder; None where there is none or, with a warning, where it is damaged."""
    path = scratch / CHECKPOINT_NAME
    if not path.is_file():
        return None
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except DAMAGED as error:
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        print(f"warning: expected a checkpoint at {path}, reading failed: {line}; the training begins anew", flush=True)
        return None
    return path
