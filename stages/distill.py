"""Stage distill@SIZE: a frozen backbone's features of the pretraining images -> teacher."""

from efficientad.data.pretraining.write import load_pretraining
from efficientad.layout import PRETRAINING, locate_distill_metrics, locate_teacher
from efficientad.params import load_params
from efficientad.reporting.figures import write_loss_figure
from efficientad.scratch import open_scratch
from efficientad.stage import parse_size, run_stage, write_json
from efficientad.training.distillation import distill_teacher
from efficientad.weights import save_weights


def main() -> None:
    """Read params, distil, write the teacher with its losses and its error on held-out images."""
    size = parse_size()
    params = load_params().distill
    key = {"size": size, "params": params}
    with open_scratch("distill", key, [PRETRAINING / "manifest.json"]) as scratch:
        teacher, log, held_out_error = distill_teacher(size, load_pretraining(PRETRAINING), params, scratch)
        save_weights(teacher, locate_teacher(size), {"size": size, "backbone": params.backbone})
        metrics = locate_distill_metrics(size)
        write_json(metrics / "distill.json", {"held_out_mse": held_out_error, "steps": params.steps})
        log.write_csv(metrics / "losses.csv")
        write_loss_figure(metrics / "losses.png", log.rows)
    print(f"teacher {size}: mean squared error {held_out_error:.3f} on held-out images (1 = knows nothing)")


if __name__ == "__main__":
    run_stage(main)
