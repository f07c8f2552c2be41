"""Pixels: decoded, resized, marked, drawn and encoded; the only folder that imports OpenCV."""
