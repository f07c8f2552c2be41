"""Data sets and published files: fetched over a network that breaks, checked, and unpacked in one step."""
