"""Synthetic defects on normal images."""
