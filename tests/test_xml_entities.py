"""The XML of a model that somebody hands over can neither fill the memory nor read another file.

The reader of Python's standard library is trusted with it, so its expat must be one that stops both.
"""

from xml.etree import ElementTree

import pytest

LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))  # a gigabyte of ten letters


@pytest.mark.parametrize(
    "declaration",
    [f'<!ENTITY a0 "laughing..">{LAUGHS}', '<!ENTITY a9 SYSTEM "file:///etc/hostname">'],
    ids=["entities that grow", "entity of a file"],
)
def test_entities_are_refused(declaration):
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(f"<!DOCTYPE net [{declaration}]><net><rt_info>&a9;</rt_info></net>")


def test_entities_of_xml_itself_are_read():
    assert ElementTree.fromstring("<net>&lt;&amp;</net>").text == "<&"
