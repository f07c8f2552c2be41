"""`efficientad probe`: how well features separate good images from defective ones."""

import argparse
from pathlib import Path

from efficientad.commands.arguments import Commands, parse_count


def add(commands: Commands) -> None:
    """Add the command."""
    probe = commands.add_parser("probe", help="measure in minutes how well a teacher's features separate a data set")
    probe.add_argument("prepared", type=Path, help="data/prepared/CATEGORY with defects in its test split")
    features = probe.add_mutually_exclusive_group()
    features.add_argument("--teacher", type=Path, help="teacher.safetensors (default: the shipped one)")
    features.add_argument(
        "--backbone", help="use the features that a teacher is distilled from, such as efficientnet_lite0"
    )
    probe.add_argument("--checkpoint", type=Path, help="weights of --backbone wide_resnet101_2")
    probe.add_argument("--size", choices=("S", "M"), default="S", help="of the teacher (default: %(default)s)")
    probe.add_argument(
        "--bank", type=parse_count, default=12_000, help="normal patches in the memory bank (default: %(default)s)"
    )
    probe.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure the features, print the metrics."""
    from efficientad.calibration.probe import (
        ProbeParams,
        build_backbone_features,
        build_teacher_features,
        probe_features,
    )
    from efficientad.data.arrays.prepared import load_prepared
    from efficientad.teacher.backbones import build_backbone
    from efficientad.teacher.shipped import locate_shipped_teacher

    if options.backbone:
        features = build_backbone_features(build_backbone(options.backbone, options.checkpoint))
    else:
        features = build_teacher_features(options.teacher or locate_shipped_teacher(options.size), options.size)
    metrics = probe_features(features, load_prepared(options.prepared), ProbeParams(bank_size=options.bank))
    print(", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))
    return 0
