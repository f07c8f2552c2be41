"""Writes CARD.md beside the models of every item, from its metrics and the hashes in dvc.lock; it belongs into git."""

import platform
from importlib.metadata import version

from efficientad.errors import DataError
from efficientad.pipeline.dvc_command import read_locked_stages
from efficientad.pipeline.layout import PRETRAINING, Item, list_items, locate_prepared, locate_teacher
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import read_json, run_stage
from efficientad.pipeline.writing import write_text
from efficientad.reporting.card import render_card
from efficientad.training.engine.speed import describe_processor


def main() -> None:
    """Write the card of each item that params.yaml lists."""
    params = load_params()
    digests = {out["path"]: out["md5"] for stage in read_locked_stages().values() for out in stage.get("outs", [])}
    for item in list_items(params.sizes, params.categories, params.seeds):
        card = item.models / "CARD.md"
        write_text(card, describe(item, digests))
        print(card.as_posix())


def describe(item: Item, digests: dict[str, str]) -> str:
    """Return one item's card."""
    data = load_params(category=item.category).data
    evaluated, calibrated, exported = (
        read_json(item.locate_metrics(stage)) for stage in ("evaluate", "calibrate", "export")
    )
    height, width = data.frame
    machine = describe_processor()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "openvino", "nncf", "numpy"))
    facts = {"size": item.size, "product": item.category, "seed": item.seed,
             "images": f"provider {data.provider}, judged at {height} x {width} px",
             "written with": f"Python {platform.python_version()}, {packages}; {machine['processor']}"}  # fmt: skip
    made_of = (locate_prepared(item.category), PRETRAINING, locate_teacher(item.size), item.detector)
    names = [path.as_posix() for path in made_of]
    if missing := [name for name in names if name not in digests]:
        raise DataError(f"expected {', '.join(missing)} in dvc.lock, found none; run the pipeline (`dvc repro`)")
    sources = [(name, digests[name]) for name in names]
    return render_card(item.name, facts, evaluated, calibrated, exported, sources)


if __name__ == "__main__":
    run_stage(main)
