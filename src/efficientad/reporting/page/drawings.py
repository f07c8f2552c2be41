"""Figures as SVG elements that stand in a page."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import numpy as np

from efficientad.reporting.figures import write_pro_figure, write_roc_figure, write_score_histogram
from efficientad.reporting.page.sources import Sources

SIDE_PX, HISTOGRAM_PX = 480, 560
REFERRING = {"href", "clip-path"}  # attributes that name an id


def draw_roc(sources: Sources) -> str | None:
    """Return the ROC curve of the images; None where there is none."""
    curve = sources.roc
    if curve is None:
        return None
    auroc = sources.stages.evaluate["metrics"]["image_auroc"]
    words = f"ROC curve of the images; area {auroc:.4f}"
    return draw_svg("roc", words, lambda path: write_roc_figure(path, curve, auroc, SIDE_PX))


def draw_pro(sources: Sources) -> str | None:
    """Return the curve of the per-region overlap; None where there is none."""
    curve = sources.pro
    if curve is None:
        return None
    au_pro, limit = sources.stages.evaluate["metrics"]["au_pro"], sources.stages.fpr_limit
    words = f"Curve of the per-region overlap; area {au_pro:.4f} up to a false positive rate of {limit:g}"
    return draw_svg("pro", words, lambda path: write_pro_figure(path, curve, au_pro, limit, SIDE_PX))


def draw_histogram(sources: Sources) -> str:
    """Return the histogram of the test images' scores."""
    scores = np.array([image.score for image in sources.images])
    labels = np.array([int(image.is_anomalous) for image in sources.images])
    threshold = sources.stages.calibrate["threshold"]["value"]
    words = f"Histogram of the scores of good and defective test images, with the threshold {threshold:.4g}"
    return draw_svg("scores", words, lambda path: write_score_histogram(path, scores, labels, threshold, HISTOGRAM_PX))


def draw_svg(name: str, words: str, write: Callable[[Path], None]) -> str:
    """Return the SVG element of what `write` draws into a file; `words` say what it shows, `name` marks its ids."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.svg"
        write(path)
        root = ElementTree.parse(path).getroot()
    clean_svg(root, name)
    width, height = root.get("viewBox", "").split()[2:]
    root.attrib.clear()
    root.attrib |= {"viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": words}
    root.set("style", "stroke-linejoin: round; stroke-linecap: butt")  # matplotlib's rule for all of a file
    return ElementTree.tostring(root, encoding="unicode")


def clean_svg(root: ElementTree.Element, name: str) -> None:
    """Make a file's SVG one of a page's, in place.

    Namespaces, metadata and rules of style, which would hold for the whole page, go; ids that nothing refers to, too.
    The others begin with `name`.
    """
    text = ElementTree.tostring(root, encoding="unicode")
    for element in root.iter():
        for child in [child for child in element if _name(child.tag) in ("metadata", "style")]:
            element.remove(child)
        element.tag = _name(element.tag)
        attributes = {_name(key): value for key, value in element.attrib.items()}
        if (identity := attributes.pop("id", "")) and f"#{identity}" in text:
            attributes["id"] = f"{name}-{identity}"
        for key in REFERRING & attributes.keys():
            attributes[key] = attributes[key].replace("#", f"#{name}-")
        element.attrib.clear()
        element.attrib |= attributes


def _name(qualified: str) -> str:
    """Return a name without its namespace."""
    return qualified.rpartition("}")[2]
