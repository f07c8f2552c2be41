"""Distilling the teacher; training student and autoencoder."""
