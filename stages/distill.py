"""Stage distill@SIZE: a frozen backbone's features of the pretraining images -> teacher; or a finished teacher."""

from dataclasses import replace
from pathlib import Path

from efficientad.data.arrays.pretraining import load_pretraining
from efficientad.model.sizes import PDNSize, Size
from efficientad.model.weights import load_header, save_weights
from efficientad.pipeline.cache import locate_cache
from efficientad.pipeline.layout import PRETRAINING, locate_distill_metrics, locate_teacher
from efficientad.pipeline.params import DistillParams
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.scratch import open_scratch
from efficientad.pipeline.stage import parse_size, run_stage, write_json
from efficientad.teacher.finished import describe_error, load_finished_teacher
from efficientad.training.distillation.teacher import distill_teacher
from efficientad.training.engine.loop import LossLog
from efficientad.training.engine.precision import settle_precision
from efficientad.training.engine.workers import Workers, join_workers


def main() -> None:
    """Read params; distil, or take a teacher over; write it with its losses and its error on held-out images."""
    size, params, log = parse_size(), load_params(), LossLog()
    with join_workers() as workers:
        if size != "L" and params.teacher.source == "distill":
            log = distil(size, params.distill, workers)
        elif workers.is_first:
            teacher, header = load_finished_teacher(size, params.teacher)
            save_weights(teacher, locate_teacher(size), header)
        if workers.is_first:
            report(size, params.teacher.source, log)


def distil(size: PDNSize, params: DistillParams, workers: Workers) -> LossLog:
    """Write the teacher that `params` describe; return its losses."""
    params = replace(params, precision=settle_precision(params.precision, locate_cache()))
    inputs = [PRETRAINING / "manifest.json", *([] if params.checkpoint is None else [Path(params.checkpoint)])]
    with open_scratch("distill", {"size": size, "params": params}, inputs, workers.finish_together) as scratch:
        pretraining = load_pretraining(PRETRAINING)
        teacher, log, error = distill_teacher(size, pretraining, params, scratch)
    about: dict[str, object] = {"backbone": params.backbone, "steps": params.steps, "batch_size": params.batch_size}
    about["photographs"] = len(set(pretraining.photographs))
    if workers.is_first:
        save_weights(teacher, locate_teacher(size), {"size": size, **about, "held_out_mse": round(error, 6)})
    return log


def report(size: Size, source: str, log: LossLog) -> None:
    """Write what the teacher's file says of it, and its losses; a table without rows where nothing was trained."""
    metrics = locate_distill_metrics(size)
    header = load_header(locate_teacher(size))
    write_json(metrics / "distill.json", {"source": source, **header})
    log.write_csv(metrics / "losses.csv")
    print(f"teacher {size}: mean squared error on held-out images {describe_error(header)}")


if __name__ == "__main__":
    run_stage(main)
