"""A progress bar over steps: live on a terminal, a line every tenth of the way in a log."""

import sys
import time
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class StepProgress(Callback):
    """Shows steps done, the current loss and the time left."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.bar: Progress | None = None

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Open the bar at the step that training starts or resumes from."""
        self.first, self.started = trainer.global_step, time.monotonic()
        if self.first:
            print(f"resumed at step {self.first} of {self.steps}", flush=True)
        if sys.stderr.isatty():
            columns = (BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]:.3f}"))
            self.bar = Progress(*columns, TimeRemainingColumn())
            self.task = self.bar.add_task("", total=self.steps, completed=self.first, loss=float("nan"))
            self.bar.start()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Advance."""
        step, loss = trainer.global_step, float(outputs["loss"])
        if self.bar is not None:
            self.bar.update(self.task, completed=step, loss=loss)
        elif step % max(1, self.steps // 10) == 0 or step == self.steps:
            seconds = (time.monotonic() - self.started) / max(1, step - self.first)
            print(f"step {step} of {self.steps}  loss {loss:.4f}  {seconds:.2f} s a step", flush=True)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Close the bar."""
        self._stop()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        """Leave the terminal usable."""
        self._stop()

    def _stop(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
