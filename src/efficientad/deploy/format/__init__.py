"""An exported file: its graph, its metadata, its names and its place."""
