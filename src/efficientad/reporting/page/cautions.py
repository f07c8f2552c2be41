"""What a reader should know before believing the figures: few images, images of one part, models that differ."""

from collections.abc import Iterator

from efficientad.reporting.page.precisions import list_precisions
from efficientad.reporting.page.promise import Promise
from efficientad.reporting.page.rates import bound_rate_above, bound_rate_below
from efficientad.reporting.page.sources import Sources
from efficientad.reporting.page.verdicts import Counts, DefectKind
from efficientad.reporting.page.words import count_images, format_percent

FEW_OF_A_KIND = 10
LEAST_VARIATION = 1e-3  # of the autoencoder's results, below which it gives the same for every image; as in stage fit


def list_cautions(sources: Sources, counts: Counts, kinds: list[DefectKind], promise: Promise) -> list[str]:
    """Return the cautions, each a sentence or two, the gravest first."""
    return [
        *_warn_of_leaks(sources), *_warn_of_alarms(counts, promise), *_warn_of_few_good(counts, promise),
        *_warn_of_few_defects(counts, kinds), *_warn_of_models(sources),
    ]  # fmt: skip


def _warn_of_leaks(sources: Sources) -> Iterator[str]:
    found = sources.stages.near_duplicates
    if pairs := len(found["pairs"]):
        yield (
            f"{pairs} {'pair' if pairs == 1 else 'pairs'} of images in different splits seem to show one part: the "
            "test contains parts that the detector learned from, and its figures are better than on new parts."
        )
    if not found["checked"]:
        yield "Nobody looked for images of one part in different splits (data.near_duplicates: ignore)."
    if sources.left_out:
        yield f"{count_images(len(sources.left_out))} left out as copies of images that are tested or held out."


def _warn_of_alarms(counts: Counts, promise: Promise) -> Iterator[str]:
    if counts.false_alarms and bound_rate_below(counts.false_alarms, counts.good) > promise.rate:
        yield (
            f"More false alarms than promised: {counts.false_alarms} of {counts.good} good test images, where "
            f"{format_percent(promise.rate)} were promised. The good parts of the test differ from those that the "
            "threshold was set on."
        )


def _warn_of_few_good(counts: Counts, promise: Promise) -> Iterator[str]:
    if promise.at_most is not None and promise.at_most > 2 * promise.rate:
        yield (
            f"Few held-out good parts ({promise.parts}): this detector's own false-alarm rate may be up to "
            f"{format_percent(promise.at_most)}, more than twice the promised {format_percent(promise.rate)}."
        )
    if not counts.good:
        yield "No good part was tested: false alarms were not counted."
    elif bound_rate_above(0, counts.good) > promise.rate:
        yield (
            f"Few good test images ({counts.good}): even without any false alarm they could only show that the rate is "
            f"below {format_percent(bound_rate_above(0, counts.good))}."
        )


def _warn_of_few_defects(counts: Counts, kinds: list[DefectKind]) -> Iterator[str]:
    if not counts.defective:
        yield "No defect was tested: nothing is known of how many are found."
    if few := [f"{kind.name} ({kind.images})" for kind in kinds if kind.images < FEW_OF_A_KIND]:
        yield f"Few test images of {', '.join(few)}: their shares are rough."
    if counts.defective and all(kind.outline_iou is None for kind in kinds):
        yield "No defect is annotated: whether the marked places are right was not measured."


def _warn_of_models(sources: Sources) -> Iterator[str]:
    autoencoder = sources.stages.fit.get("autoencoder", {})
    if autoencoder.get("variation", 1.0) < LEAST_VARIATION:
        yield "The autoencoder gives the same for every image: logical defects are not found by it."
    if sources.stages.export.get("int8", {"kept": ""})["kept"] is None:
        yield "There is no INT8 model: it would have cost more accuracy than is allowed."
    for model in list_precisions(sources):
        if model.other_verdicts:
            yield (
                f"{model.name} gives another verdict than the trained detector on {model.other_verdicts} of "
                f"{count_images(sources.stages.export['images'])}."
            )
