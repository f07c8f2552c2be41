"""Stage report@SIZE-CATEGORY-SEED: what the other stages found -> one page for people, which needs no other file."""

from efficientad.data.arrays.prepared import MANIFEST, PreparedRow, read_manifest
from efficientad.pipeline.layout import Item, locate_prepare_report, locate_prepared
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import parse_item, read_json, run_stage
from efficientad.pipeline.writing import write_text
from efficientad.reporting.page.render import render_page
from efficientad.reporting.page.sources import (
    Sources,
    Stages,
    read_cases,
    read_headers,
    read_images,
    read_pro,
    read_roc,
)
from efficientad.reporting.page.versions import hash_file


def main() -> None:
    """Read params and what the stages wrote; write the page."""
    item = parse_item()
    manifest = read_manifest(locate_prepared(item.category) / MANIFEST)
    sheet = item.report / "sheet"
    sources = Sources(
        name=item.name,
        stages=read_stages(item),
        rows=[PreparedRow(**row) for row in manifest["rows"]],
        left_out=manifest["left_out"],
        images=read_images(sheet / "scores.csv"),
        cases=read_cases(sheet / "cases"),
        roc=read_roc(item.report / "roc.csv"),
        pro=read_pro(item.report / "pro.csv"),
        headers=read_headers(item.models / "openvino"),
        detector_md5=hash_file(item.detector),
    )
    write_text(item.page, render_page(sources))


def read_stages(item: Item) -> Stages:
    """Read what the stages measured, and the limits that params ask for."""
    params = load_params(category=item.category)
    fit, calibrate, evaluate, export = (
        read_json(item.locate_metrics(stage)) for stage in ("fit", "calibrate", "evaluate", "export")
    )
    near_duplicates = read_json(locate_prepare_report(item.category) / "near_duplicates.json")
    limits = (params.evaluate.fpr_limit, params.calibrate.false_alarm_rate)
    return Stages(fit, calibrate, evaluate, export, near_duplicates, *limits)


if __name__ == "__main__":
    run_stage(main)
