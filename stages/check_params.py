"""Checks params.yaml before DVC reads it: a name or a path that DVC stumbles over is one clear line here."""

from efficientad.pipeline.params_file import check_for_dvc
from efficientad.pipeline.stage import run_stage

if __name__ == "__main__":
    run_stage(check_for_dvc)
