"""Copies a finished teacher into the package, in half precision: the one that `teacher.source: shipped` takes.

    python benchmarks/ship_teacher.py S

A person writes its card, src/efficientad/teacher/weights/README.md.
"""

import argparse

from efficientad.model.weights import load_header, load_teacher, save_weights
from efficientad.pipeline.layout import locate_teacher
from efficientad.teacher.shipped import locate_shipped_teacher


def main() -> None:
    """Read models/SIZE/teacher.safetensors, write src/efficientad/teacher/weights/SIZE.safetensors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", choices=("S", "M"))
    size = parser.parse_args().size
    source = locate_teacher(size)
    save_weights(load_teacher(source, size).half(), locate_shipped_teacher(size), load_header(source))


if __name__ == "__main__":
    main()
