"""Stage pretraining: photographs -> arrays at 512 px, for distillation and for the penalty."""

from efficientad.data.arrays.prepared import MANIFEST
from efficientad.data.files.walk import shorten
from efficientad.data.pretraining.registry import build_pretraining_source
from efficientad.data.pretraining.writer import write_pretraining
from efficientad.pipeline.layout import PRETRAINING
from efficientad.pipeline.params import load_params
from efficientad.pipeline.stage import run_stage


def main() -> None:
    """Read params, write the images."""
    source = build_pretraining_source(load_params().pretraining)
    left_out = write_pretraining(source, PRETRAINING)
    print(f"{len(source) - len(left_out)} pretraining images")
    if left_out:
        where = PRETRAINING / MANIFEST
        print(f"WARNING {len(left_out)} images left out; all of them: {where}\n{shorten(left_out)}")


if __name__ == "__main__":
    run_stage(main)
