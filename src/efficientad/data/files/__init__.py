"""Image files: fetched, checked, decoded, resized, written."""
