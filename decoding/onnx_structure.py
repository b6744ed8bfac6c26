"""What an ONNX file from somebody else must not hold: graphs that loop, code from elsewhere, weights in other files.

The file is walked as the protocol buffer that it is, without the onnx package, before onnxruntime sees it.

References
----------
https://onnx.ai/onnx/repo-docs/IR.html and ``onnx.proto3`` (field numbers); protobuf.dev, "Encoding" (wire format).
"""

from collections.abc import Iterator

# Field numbers of onnx.proto3.
_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_ATTRIBUTE, _NODE_DOMAIN = 5, 7
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14
_OWN_DOMAINS = (b"", b"ai.onnx")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_BITS = 64


def check_structure(content: bytes) -> None:
    """Look through a model for what a decoder never needs.

    Raises
    ------
    ValueError
        If it is no protocol buffer, or its graph holds graphs (loops, conditions), functions, operators of others or
        weights that lie in another file; the message names which.
    """
    for number, value in _fields(content):
        if number == _MODEL_FUNCTIONS:
            raise ValueError("it brings functions of its own")
        if number == _MODEL_GRAPH:
            _check_graph(_message(value))


def _check_graph(graph: memoryview) -> None:
    for number, value in _fields(graph):
        if number == _GRAPH_SPARSE:
            raise ValueError("it holds sparse weights")
        if number == _GRAPH_INITIALIZER:
            _check_tensor(_message(value))
        if number == _GRAPH_NODE:
            _check_node(_message(value))


def _check_node(node: memoryview) -> None:
    for number, value in _fields(node):
        if number == _NODE_DOMAIN and bytes(_message(value)) not in _OWN_DOMAINS:
            raise ValueError("it uses operators that are none of ONNX's own")
        if number == _NODE_ATTRIBUTE:
            _check_attribute(_message(value))


def _check_attribute(attribute: memoryview) -> None:
    for number, value in _fields(attribute):
        if number in _ATTRIBUTE_GRAPHS:
            raise ValueError("its graph holds another graph, which could run without end")
        if number in _ATTRIBUTE_SPARSE:
            raise ValueError("it holds sparse weights")
        if number in _ATTRIBUTE_TENSORS:
            _check_tensor(_message(value))


def _check_tensor(tensor: memoryview) -> None:
    for number, value in _fields(tensor):
        if number == _TENSOR_EXTERNAL or (number == _TENSOR_LOCATION and value):
            raise ValueError("its weights lie in another file")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("it is no ONNX file")  # noqa: TRY004 - of the file, not of an argument
    return value


def _fields(data: bytes | memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield field numbers and values of a message: an int of a varint, the bytes of everything else."""
    view, at = memoryview(data), 0
    while at < len(view):
        key, at = _varint(view, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(view, at)
            yield number, value
            continue
        if wire == _BYTES:
            length, at = _varint(view, at)
        elif wire in {_FIXED64, _FIXED32}:
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError("it is no ONNX file")
        if length > len(view) - at:
            raise ValueError("it is cut short")
        yield number, view[at : at + length]
        at += length


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while at < len(view) and shift < _VARINT_BITS:
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
    raise ValueError("it is cut short")
