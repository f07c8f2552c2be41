"""Figures, tables and contact sheets for people; the same input gives the same bytes."""
