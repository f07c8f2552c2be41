"""From an image file to a verdict on a station."""
