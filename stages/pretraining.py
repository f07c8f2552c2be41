"""Stage pretraining: photographs -> arrays at 512 px, for distillation and for the penalty."""

from efficientad.data.files.walk import count, shorten
from efficientad.data.pretraining.registry import build_pretraining_source
from efficientad.data.pretraining.writer import write_pretraining
from efficientad.pipeline.layout import PRETRAINING
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.silence import silence_libraries
from efficientad.pipeline.stage import run_stage


@silence_libraries()
def main() -> None:
    """Read params, write the images."""
    source = build_pretraining_source(load_params().pretraining)
    unread = write_pretraining(source, PRETRAINING)
    print(f"{len(source) - len(unread)} pretraining images")
    for left_out, why in ((source.list_left_out(), "not used"), (unread, "not readable, left out")):
        if left_out:
            print(f"WARNING {count(left_out)} {why}:\n{shorten(left_out)}")


if __name__ == "__main__":
    run_stage(main)
