"""Shapes, noise and exposure that drawn images are made of."""
