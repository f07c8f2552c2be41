"""EfficientAD (Batzner, Heckler, König, WACV 2024, arXiv 2303.14535) for inspection stations."""

__version__ = "0.1.0"
