"""The progress of a training, with its loss."""

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from efficientad.pipeline.progress import Progress


class StepProgress(Callback):
    """Shows steps done, the current loss and the time left."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin at the step that training starts or resumes from."""
        if trainer.global_step and trainer.is_global_zero:
            print(f"resumed at step {trainer.global_step} of {self.steps}", flush=True)
        self.progress = Progress("training steps", self.steps, trainer.global_step)
        self.progress.__enter__()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Advance."""
        self.progress.show(trainer.global_step, f"loss {float(outputs['loss']):.4g}")

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Close the bar."""
        self.progress.__exit__(None, None, None)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        """Leave the terminal usable."""
        self.progress.__exit__(None, None, None)
