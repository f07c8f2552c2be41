"""Synthetic products with exact defect masks: a washer, a woven fabric and a circuit board."""

from efficientad.data.synthetic.defects import DEFECTS
from efficientad.data.synthetic.provider import SyntheticProvider
from efficientad.data.synthetic.render import (
    PRODUCTS,
    VISIBLE_STEP,
    generate_anomalous_image,
    generate_normal_image,
)

__all__ = [
    "DEFECTS",
    "PRODUCTS",
    "VISIBLE_STEP",
    "SyntheticProvider",
    "generate_anomalous_image",
    "generate_normal_image",
]
