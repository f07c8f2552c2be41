"""Metrics on raw, unclamped float scores and maps: numpy, scipy and scikit-learn, no torch."""
