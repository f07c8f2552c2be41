"""One provider for each kind of data set."""
