"""The error tree: whatever a user can put right is an `EfficientADError`.

    EfficientADError
    ├── ParamsError      params.yaml does not say what it must
    ├── DataError        images, masks or manifests are not what was promised
    │   └── DownloadError
    ├── ModelError       weights or an exported model do not fit
    ├── MetricError      a metric is undefined on this input
    └── ParityError      an exported model does not give the scores of the trained one

Each message says what was expected, what came, and what to do.
"""


class EfficientADError(Exception):
    """Base of every error that this package raises on purpose."""


class ParamsError(EfficientADError):
    """params.yaml has an unknown, missing or out-of-range value."""


class DataError(EfficientADError):
    """An image, a mask or a manifest is missing, unreadable or not as promised."""


class DownloadError(DataError):
    """A download did not arrive whole."""


class ModelError(EfficientADError):
    """A file of weights or an exported model does not fit."""


class MetricError(EfficientADError):
    """A metric is not defined on the scores and labels given."""


class ParityError(EfficientADError):
    """An exported model gives other maps or scores than the trained one."""
