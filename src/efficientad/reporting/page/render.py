"""The page as text: numbers from the sources, words from the template."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from efficientad.pipeline.printable import make_printable
from efficientad.reporting.contact_sheet import GROUPS
from efficientad.reporting.page import drawings, words
from efficientad.reporting.page.cautions import list_cautions
from efficientad.reporting.page.precisions import list_precisions
from efficientad.reporting.page.promise import read_promise
from efficientad.reporting.page.rates import bound_rate_below
from efficientad.reporting.page.sources import CasePictures, JudgedImage, Sources
from efficientad.reporting.page.verdicts import count_verdicts, list_kinds
from efficientad.reporting.page.versions import list_versions

TEMPLATES = Path(__file__).parent / "templates"
CAPTIONS = {"image": "image", "annotated": "annotated defect", "heat_map": "heat map", "marked": "what is marked"}


@dataclass(frozen=True)
class ShownCase:
    """A case as the page shows it: its image, and its pictures as data, by caption."""

    image: JudgedImage
    pictures: dict[str, str]


def render_page(sources: Sources) -> str:
    """Return a detector's page: well-formed HTML that asks for no other file; the same text for the same sources."""
    counts, kinds = count_verdicts(sources.images), list_kinds(sources.images)
    promise = read_promise(sources, counts)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {
        "percent": words.format_percent, "metric": words.format_metric, "number": words.format_number,
        "images": words.count_images, "printable": make_printable,
    }  # fmt: skip
    return environment.get_template("page.html").render(
        name=sources.name,
        style=Markup((TEMPLATES / "style.css").read_text("utf-8")),  # noqa: S704  (ours)
        counts=counts,
        kinds=kinds,
        promise=promise,
        metrics=sources.stages.evaluate["metrics"],
        found_at_least=bound_rate_below(counts.found, counts.defective) if counts.defective else None,
        cautions=list_cautions(sources, counts, kinds, promise),
        groups=group_cases(sources),
        figures=[Markup(svg) for svg in draw_figures(sources) if svg],  # noqa: S704  (element trees, escaped)
        precisions=list_precisions(sources),
        compared=sources.stages.export["images"],
        versions=list_versions(sources),
    )


def draw_figures(sources: Sources) -> Sequence[str | None]:
    """Return the figures in the order of the page."""
    return drawings.draw_histogram(sources), drawings.draw_roc(sources), drawings.draw_pro(sources)


def group_cases(sources: Sources) -> dict[str, list[ShownCase]]:
    """Return the cases by the title of their group, in the contact sheet's order; no group is empty."""
    image_of = {image.name: image for image in sources.images}
    shown: dict[str, list[ShownCase]] = {}
    for case in sources.cases:
        shown.setdefault(GROUPS[case.group], []).append(ShownCase(image_of[case.name], embed_pictures(case)))
    return shown


def embed_pictures(case: CasePictures) -> dict[str, str]:
    """Return a case's pictures as data: URLs, by caption."""
    return {
        CAPTIONS[panel]: f"data:image/jpeg;base64,{b64encode(file.read_bytes()).decode()}"
        for panel, file in case.files.items()
    }
