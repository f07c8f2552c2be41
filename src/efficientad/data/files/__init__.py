"""Image files: found, their containers inspected before anything is decoded."""
