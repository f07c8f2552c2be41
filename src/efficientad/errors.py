"""The error tree: every error that a user can put right is an `EfficientADError`.

    EfficientADError
    ├── ParamsError      params.yaml has an unknown, missing or out-of-range value
    ├── DataError        an image, a mask or a manifest is missing, unreadable or does not fit
    │   └── DownloadError  a download is incomplete
    ├── ModelError       a file of weights or an exported model does not fit
    ├── MetricError      a metric is undefined on this input
    └── ParityError      an exported model gives other maps or scores than the trained one

Each message names what was expected, what came, and what to do.
"""


class EfficientADError(Exception):
    """Base of every error that this package raises on purpose."""


class ParamsError(EfficientADError):
    """params.yaml has an unknown, missing or out-of-range value."""


class DataError(EfficientADError):
    """An image, a mask or a manifest is missing, unreadable or does not fit."""


class DownloadError(DataError):
    """A download is incomplete."""


class ModelError(EfficientADError):
    """A file of weights or an exported model does not fit."""


class MetricError(EfficientADError):
    """A metric is undefined on the given scores and labels."""


class ParityError(EfficientADError):
    """An exported model gives other maps or scores than the trained one."""
