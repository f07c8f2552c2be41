"""Frozen backbones that a teacher is distilled from, and the teachers that come with the package."""
