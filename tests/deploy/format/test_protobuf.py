"""Protobuf without a schema, against the package that has one."""

import onnx
import pytest

from efficientad.deploy.format.protobuf import join, read_fields, write_bytes, write_number


def test_an_onnx_file_is_read_and_joined_to_the_same_bytes(models):
    content = (models / "detector.onnx").read_bytes()
    fields = list(read_fields(content))
    assert join(fields) == content
    (graph,) = [field.payload for field in fields if field.number == 7]
    assert join(read_fields(graph)) == graph
    nodes = [field for field in read_fields(graph) if field.number == 1]
    assert len(nodes) == len(onnx.load_from_string(content).graph.node)


def test_what_is_written_is_what_the_package_writes():
    """Names of 127 and 128 letters: the length takes one byte, then two."""
    for size in (1, 127, 128, 20_000):
        expected = onnx.TensorProto(name="n" * size, data_type=300).SerializeToString()
        assert join([write_number(2, 300), write_bytes(8, b"n" * size)]) == expected


def test_numbers_of_fixed_size_are_passed_over():
    message = onnx.AttributeProto(name="a", f=1.5, i=-1, type=1).SerializeToString()
    assert join(read_fields(message)) == message
    assert [field.number for field in read_fields(message)] == [1, 2, 3, 20]


@pytest.mark.parametrize("message", [b"\x0a", b"\x0a\x05abc", b"\x08\x80", b"\x0b", b"\x0d\x00", b"\xff" * 12])
def test_what_is_cut_short_or_no_message_is_an_error(message):
    with pytest.raises(ValueError, match=r"cut short|unknown kind"):
        list(read_fields(message))
