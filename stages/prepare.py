"""Stage prepare@CATEGORY: a provider's images -> arrays at the model's resolution and a manifest."""

from pathlib import Path

from efficientad.calibration.threshold.count import check_count
from efficientad.data.arrays.rows import Rows
from efficientad.data.datasets.findings import Findings
from efficientad.data.datasets.groups import find_groups
from efficientad.data.datasets.leaks import describe_leaks, write_leaks
from efficientad.data.datasets.near_duplicates import find_parts
from efficientad.data.datasets.prepare import write_prepared
from efficientad.data.datasets.registry import build_provider, find_border, list_left_out, load_region
from efficientad.data.datasets.splits import SplitPlan
from efficientad.errors import DataError
from efficientad.pipeline.layout import locate_prepare_report, locate_prepared
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.silence import silence_libraries
from efficientad.pipeline.stage import parse_category, run_stage


@silence_libraries()
def main() -> None:
    """Read params, prepare one category."""
    category = parse_category()
    params = load_params(category=category)
    data = params.data
    provider = build_provider(category, data, params.synthetic, params.elpv)
    report = locate_prepare_report(category)
    findings = Findings(report, list_left_out(provider, data))
    try:
        groups = find_groups(data.group, Path(data.root) / category, provider.list_samples())
        prepared = write_prepared(
            provider, locate_prepared(category), data.frame,
            SplitPlan(data.train_fraction, data.validation_fraction, data.split_seed),
            data.raw_samples, load_region(category, data), groups, find_border(params.sizes), findings,
        )  # fmt: skip
    finally:
        findings.write()
        for text in findings.describe():
            print(f"WARNING {category}: {text}")
    counts = {split: len(prepared.indices(split)) for split in ("train", "validation", "test")}
    print(f"{category}: " + ", ".join(f"{count} {split}" for split, count in counts.items()))
    held_out = {prepared.rows[index].part for index in prepared.indices("validation")}
    # Here and not after the training. Nothing written depends on it, so another rate prepares nothing anew.
    check_count(len(held_out), params.calibrate.false_alarm_rate)
    parts = None if data.near_duplicates == "ignore" else find_parts(Rows(prepared.images))
    if pairs := write_leaks(prepared, groups, parts, report):
        message = describe_leaks(pairs, report, Path(data.root) / category)
        if data.near_duplicates == "fail":
            raise DataError(message)
        print(f"WARNING {category}: {message}")


if __name__ == "__main__":
    run_stage(main)
