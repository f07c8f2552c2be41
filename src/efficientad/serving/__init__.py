"""Detectors over HTTP on a station: KServe V2, plain uploads, and a page for the people at the line."""
