"""One resumable loop for both trainings: Lightning's Trainer over segments of steps.

Each segment is one of Lightning's epochs and ends with a checkpoint in a scratch folder. Batches and dropout are
functions of the step: a run that is killed and started again ends in the weights of one that was not. Started by
torchrun, several processes share each batch, average their gradients, and end in the same weights but for rounding.
"""

import csv
import io
import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.core.datamodule import LightningDataModule
from torch.utils.data import DataLoader, Dataset

from efficientad.model.device import keep_float32
from efficientad.pipeline.stops import list_handlers
from efficientad.pipeline.writing import write_text
from efficientad.training.engine.allocator import keep_freed_memory
from efficientad.training.engine.checkpoints import CHECKPOINT_NAME, Checkpoints, KeepHandlers, find_checkpoint
from efficientad.training.engine.precision import uses_bfloat16
from efficientad.training.engine.progress import StepProgress
from efficientad.training.engine.workers import Share, find_workers

BuildSteps = Callable[[int, int, Share], Dataset[Any]]


class Segments(LightningDataModule):
    """Hands out the batches of the segment that begins at the trainer's current step."""

    def __init__(self, build_steps: BuildSteps, steps: int, segment: int, share: Share) -> None:
        super().__init__()
        self.build_steps, self.steps, self.segment, self.share = build_steps, steps, segment, share

    def train_dataloader(self) -> DataLoader[Any]:
        """Return this process's share of each batch, in order; `build_steps(first, count, share)` makes them."""
        assert self.trainer is not None
        first = self.trainer.global_step
        # Lightning ends a resumed epoch after one step; the segments after it end where they would have without.
        count = min(self.segment - first % self.segment, self.steps - first)
        return DataLoader(self.build_steps(first, max(count, 1), self.share), batch_size=None, shuffle=False)


class LossLog(Callback):
    """Every step's losses; part of the checkpoint, so that a resumed run logs the whole course."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note the step and what the module's `training_step` returned."""
        losses = {name: float(value) for name, value in outputs.items()}
        self.rows.append({"step": trainer.global_step, **losses})

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint's rows."""
        self.rows = list(state_dict["rows"])

    def write_csv(self, path: Path) -> None:
        """Write `average_rows`, six significant digits; the head alone where nothing was trained."""
        lines = io.StringIO()
        names = list(self.rows[0]) if self.rows else ["step", "loss"]
        writer = csv.DictWriter(lines, fieldnames=names, lineterminator="\n")
        writer.writeheader()
        for row in average_rows(self.rows):
            writer.writerow({"step": int(row["step"]), **{k: f"{v:.6g}" for k, v in row.items() if k != "step"}})
        write_text(path, lines.getvalue())


def average_rows(rows: Sequence[dict[str, float]], most: int = 500) -> list[dict[str, float]]:
    """Return the losses as at most so many rows, each the mean of equally many steps; `step` is the last of them.

    >>> average_rows([{"step": step, "loss": step / 2} for step in (1, 2, 3)], most=2)
    [{'step': 2, 'loss': 0.75}, {'step': 3, 'loss': 1.5}]
    """
    size = -(-len(rows) // most)
    parts = [rows[first : first + size] for first in range(0, len(rows), max(1, size))]
    return [{name: fmean(row[name] for row in part) for name in part[0]} | {"step": part[-1]["step"]} for part in parts]


def run_training(
    module: L.LightningModule,
    build_steps: BuildSteps,
    steps: int,
    segment: int,
    precision: str,
    scratch: Path,
) -> LossLog:
    """Train `module` in place for `steps` steps, from the checkpoint in `scratch` if there is one.

    A checkpoint is written every `segment` steps; one that is damaged counts as none. `precision` is "fp32" or "bf16".
    """
    torch.use_deterministic_algorithms(True)
    keep_freed_memory()
    keep_float32()
    workers = find_workers()
    log = LossLog()
    keep = ModelCheckpoint(
        scratch, filename=Path(CHECKPOINT_NAME).stem, save_top_k=1, every_n_epochs=1,
        save_on_train_epoch_end=True, enable_version_counter=False,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The 'train_dataloader' does not have many workers")
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")
        warnings.filterwarnings("ignore", ".*LeafSpec.*")
        warnings.filterwarnings("ignore", "The `srun` command is available")  # SLURM's launcher runs the stage, not us
        logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
        trainer = L.Trainer(
            accelerator="auto",
            devices=workers.local_processes,
            num_nodes=workers.nodes,
            strategy="ddp" if workers.processes > 1 else "auto",
            use_distributed_sampler=False,
            precision="bf16-mixed" if uses_bfloat16(precision) else "32-true",
            max_steps=steps,
            max_epochs=-1,
            reload_dataloaders_every_n_epochs=1,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            callbacks=[log, keep, StepProgress(steps), KeepHandlers(list_handlers())],
            plugins=[Checkpoints()],
        )
        trainer.fit(
            module.to(memory_format=torch.channels_last),
            datamodule=Segments(build_steps, steps, segment, workers.share),
            ckpt_path=find_checkpoint(scratch),
            weights_only=True,
        )
    return log
