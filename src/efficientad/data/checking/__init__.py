"""A report on a folder of images before any training: what is there, what is wrong, what to set."""
