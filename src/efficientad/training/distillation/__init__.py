"""A frozen backbone's features become a teacher (Algorithm 3)."""
