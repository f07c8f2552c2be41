"""The threshold, and what it promises, in numbers that a page puts into words."""

from dataclasses import dataclass

from efficientad.reporting.page.rates import bound_false_alarms, bound_rate_above
from efficientad.reporting.page.sources import Sources
from efficientad.reporting.page.verdicts import Counts


@dataclass(frozen=True)
class Promise:
    """Rates are shares of good parts in [0, 1].

    rate: of false alarms that the threshold keeps on average; asked: what params.yaml asks for; at_most: what this one
    detector keeps with 95 % confidence, None where that cannot be said; tested_at_most: likewise, by the test images.
    """

    threshold: float
    rate: float
    asked: float
    images: int  # held out to set the threshold
    parts: int  # that they show
    has_margin: bool
    at_most: float | None
    tested_at_most: float | None


def read_promise(sources: Sources, counts: Counts) -> Promise:
    """Read the threshold's numbers, and bound what they say of one detector."""
    threshold = sources.stages.calibrate["threshold"]
    parts = {row.part or row.name for row in sources.rows if row.split == "validation"}
    images, rate = threshold["normal_images"], threshold["false_alarm_rate"]
    return Promise(
        threshold=threshold["value"],
        rate=rate,
        asked=sources.stages.asked_rate,
        images=images,
        parts=len(parts),
        has_margin=threshold["policy"] == "margin",
        at_most=bound_false_alarms(rate, images) if images == len(parts) else None,
        tested_at_most=bound_rate_above(counts.false_alarms, counts.good) if counts.good else None,
    )
