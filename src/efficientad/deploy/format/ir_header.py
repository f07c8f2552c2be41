"""The header of an OpenVINO model, read without OpenVINO."""

from pathlib import Path
from xml.etree import ElementTree

from efficientad.deploy.format.metadata import SECTION, parse_metadata
from efficientad.errors import ModelError
from efficientad.model.header import ModelHeader


def read_ir_header(path: Path) -> ModelHeader:
    """Read the header from an IR's XML file; ModelError where it is missing, damaged, or holds none."""
    try:
        section = ElementTree.parse(path).getroot().find(f"rt_info/{SECTION}")
    except (OSError, ElementTree.ParseError) as error:
        raise ModelError(f"expected an OpenVINO model at {path}: {error}; run the stage `export` again") from error
    values = {entry.tag: entry.get("value", "") for entry in section} if section is not None else {}
    return parse_metadata(values, path)
