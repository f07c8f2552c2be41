"""The header of the untrained detector that the fixture `models` exports."""

from efficientad.model.branch import Branch, Quantiles
from efficientad.model.header import ModelHeader

SIDE = 64
BANKS = [(2, 50), (4, 20)]
HEADER = ModelHeader(
    size="S",
    image_size=(SIDE, SIDE),
    category="washer",
    threshold=0.31,
    false_alarm_rate=0.05,
    display_scale=0.4,
    training_data="0123abcd",
    version="0.1.0",
    code_hash="4567ef",
    threshold_policy="rate",
    branches=(
        Branch("student", Quantiles(0.5, 2.25)),
        Branch("autoencoder", Quantiles(0.25, 1.5)),
        Branch("memory_bank_2", Quantiles(0.5, 1.5)),
        Branch("memory_bank_4", Quantiles(0.5, 2.5)),
    ),
)
