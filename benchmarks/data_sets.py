"""The data sets of docs/results.json: their titles, their order in tables, and what others published on them."""

from typing import Any

ABLATIONS, BASELINES = "ablations", "baselines"  # the other sections of docs/results.json

# In the order of the tables. The split by tile comes first: only there are the test parts new to the detector.
TITLES = {
    "magnetic_tile_by_tile": "magnetic tile, split by tile",
    "magnetic_tile": "magnetic tile, split by image (the literature's protocol, which leaks)",
    "mvtec/screw": "MVTec AD screw",
    "mvtec/bottle": "MVTec AD bottle",
    "pillqc": "pillQC",
    "elpv": "ELPV solar cells",
    "elpv/0.33": "ELPV, cells of doubtful label tested as defects",
    "washer": "washers, drawn",
    "fabric": "fabric, drawn",
    "circuit": "circuit boards, drawn",
}
DRAWN = ("washer", "fabric", "circuit")  # no evidence for real parts
LEAK = (
    "The 952 good images of magnetic tile show 156 tiles, 142 of them in six images each. A split by image, as in the",
    "literature, puts images of one tile into training and test: it does not measure how a detector judges new tiles.",
)

# Image AUROC (AU-PRO) in percent, from the papers and from the repositories' own tables.
PUBLISHED = {
    "magnetic_tile": {"PatchCore (Roth et al. 2022)": "97.9", "CS-Flow (Rudolph et al. 2022)": "99.3"},
    "mvtec/bottle": {"EfficientAD-S, github nelson1425/EfficientAD": "99.9 (95.2)"},
    "mvtec/screw": {"EfficientAD-S, github nelson1425/EfficientAD": "97.9 (95.6)", "EfficientAD-S, anomalib": "96.0"},
}


def select_data_sets(results: dict[str, Any]) -> dict[str, Any]:
    """Return {data set: {size: figures}} without the other sections, in the order of `TITLES`, the rest behind.

    >>> list(select_data_sets({"gear": {}, "elpv": {}, "ablations": {}, "magnetic_tile_by_tile": {}}))
    ['magnetic_tile_by_tile', 'elpv', 'gear']
    """
    order = [*TITLES, *results]
    names = (name for name in results if name not in (ABLATIONS, BASELINES))
    return {name: results[name] for name in sorted(names, key=order.index)}


def find_title(name: str) -> str:
    """Return the title of a data set, its key where it has none."""
    return TITLES.get(name, name)


def format_percent(figures: dict[str, float], metric: str) -> str:
    """Return a metric in percent, a dash where the data set does not have it.

    >>> format_percent({"au_pro": 0.95666}, "au_pro"), format_percent({}, "au_pro")
    ('95.7', '-')
    """
    return f"{100 * figures[metric]:.1f}" if metric in figures else "-"


def format_mean(metric: dict[str, float] | None) -> str:
    """Return mean and standard deviation over the seeds in percent, a dash where the data set does not have them.

    >>> format_mean({"mean": 0.9512, "std": 0.012}), format_mean({"mean": 0.9512, "std": 0.0}), format_mean(None)
    ('95.1 ± 1.2', '95.1', '-')
    """
    if metric is None:
        return "-"
    spread = f" ± {100 * metric['std']:.1f}" if metric["std"] else ""
    return f"{100 * metric['mean']:.1f}{spread}"
