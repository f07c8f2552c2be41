"""Photographs for distillation and penalty."""
