"""Setting the threshold of a finished model on a station, from its own images."""
