"""A threshold with a stated false-alarm rate, from a table of scores."""
