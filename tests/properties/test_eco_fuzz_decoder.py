"""Broken decoder files: refused when they are loaded, or they decode; nothing comes up in use."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import strategies as st
from onnx import TensorProto, helper

from decoding.class_statistics import STATISTICS_KEY, ClassStatistics
from decoding.decoder_file import METADATA_KEY, DecoderFile, load_decoder
from decoding.drift import DriftSettings
from decoding.onnx_structure import check_structure
from decoding.pipeline import DecoderPipeline
from decoding.signal_settings import SignalSettings
from decoding.temporal import TemporalSettings
from emg_acquisition.errors import InputError
from emg_acquisition.stream_info import EmgStreamInfo
from tests.dec_support import FS_HZ, metadata, noise_uv, write_decoder
from tests.fuzz_support import EITHER, broken_bytes, broken_tree, ends_in_our_error, run

CHUNK_UV = noise_uv(int(0.3 * FS_HZ))
# What a decoder that differs from these may ask of the machine; a stream of 8 channels and 0.3 s of it is played.
SIGNALS = (
    SignalSettings(),
    SignalSettings(powerline_hz=50, powerline_harmonics=3, spatial="laplacian", features=("log_rms", "mav")),
)


def _decode(decoder: DecoderFile) -> None:
    about = decoder.metadata
    stream = EmgStreamInfo("fuzz", "fuzz-1", about.fs_hz, about.electrode_grid, about.channel_labels)
    pipeline = DecoderPipeline(decoder, stream)
    pipeline.process(np.resize(CHUNK_UV, (len(CHUNK_UV), stream.n_channels)))


def _load_and_decode(path: Path) -> None:
    decoder = load_decoder(path)
    if decoder.metadata.electrode_grid.n_channels <= 64:
        _decode(decoder)


@pytest.fixture
def wholes(tmp_path: Path) -> list[bytes]:
    return [
        write_decoder(tmp_path / f"d{k}.onnx", metadata(signal=signal)).read_bytes()
        for k, signal in enumerate(SIGNALS)
    ]


@EITHER
def test_broken_metadata(cases: int, wholes: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    model = onnx.load_from_string(wholes[0])
    properties = {entry.key: entry for entry in model.metadata_props}
    texts = [
        {entry.key: entry.value for entry in onnx.load_from_string(whole).metadata_props}[METADATA_KEY]
        for whole in wholes
    ]
    trees = [json.loads(text) for text in texts]
    extended = {"drift": DriftSettings().model_dump(), "temporal": TemporalSettings().model_dump()}
    trees.append({**trees[0], "temporal": extended["temporal"]})

    def check(text: bytes) -> None:
        properties[METADATA_KEY].value = text.decode("utf-8", "replace")
        path.write_bytes(model.SerializeToString())
        ends_in_our_error(lambda: _load_and_decode(path))

    as_json = broken_tree(trees).map(lambda tree: json.dumps(tree).encode())
    run(cases, st.one_of(as_json, as_json, broken_bytes([text.encode() for text in texts])), check)


@EITHER
def test_broken_files(cases: int, wholes: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"

    def check(content: bytes) -> None:
        path.write_bytes(content)
        ends_in_our_error(lambda: _load_and_decode(path))

    run(cases, broken_bytes(wholes), check)


@EITHER
def test_broken_class_statistics(cases: int, wholes: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    model = onnx.load_from_string(wholes[0])
    rng = np.random.default_rng(0)
    means = rng.normal(size=(3, 8, 1)).astype(np.float32)
    whole = ClassStatistics(means, np.eye(8, dtype=np.float32), 9).to_text()
    kept = model.metadata_props.add(key=STATISTICS_KEY, value=whole)
    path.write_bytes(model.SerializeToString())
    assert load_decoder(path).statistics is not None

    def check(text: bytes) -> None:
        kept.value = text.decode("utf-8", "replace")
        path.write_bytes(model.SerializeToString())
        ends_in_our_error(lambda: load_decoder(path))

    as_json = broken_tree([json.loads(whole)]).map(lambda tree: json.dumps(tree).encode())
    run(cases, st.one_of(as_json, broken_bytes([whole.encode()])), check)


def _model(nodes: Iterable[onnx.NodeProto], weights: Iterable[TensorProto] = ()) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        list(weights),
    )
    return helper.make_model(graph)


def _external() -> onnx.ModelProto:
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[8])
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../../../etc/passwd")
    return _model([helper.make_node("Add", ["x", "w"], ["y"])], [weight])


def _hidden_external() -> onnx.ModelProto:
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[8])
    weight.external_data.add(key="location", value="/dev/zero")
    return _model([helper.make_node("Constant", [], ["y"], value=weight)])


def _loop() -> onnx.ModelProto:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, [])],
    )
    return _model([helper.make_node("Loop", ["", "x"], ["y"], body=body)])


def _function() -> onnx.ModelProto:
    model = _model([helper.make_node("Identity", ["x"], ["y"])])
    identity = helper.make_node("Identity", ["a"], ["b"])
    model.functions.append(
        helper.make_function("own", "f", ["a"], ["b"], [identity], [helper.make_opsetid("", 17)])
    )
    return model


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (_external(), "its weights lie in another file"),
        (_hidden_external(), "its weights lie in another file"),
        (_loop(), "its graph holds another graph"),
        (_function(), "functions of its own"),
        (_model([helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")]), "none of ONNX's own"),
    ],
)
def test_what_a_decoder_never_needs_is_refused(model: onnx.ModelProto, said: str, tmp_path: Path) -> None:
    path = tmp_path / "theirs.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=said):
        load_decoder(path)


def test_own_decoders_pass(wholes: list[bytes]) -> None:
    for whole in wholes:
        check_structure(whole)


def test_a_graph_without_probabilities_is_refused(wholes: list[bytes], tmp_path: Path) -> None:
    model = onnx.load_from_string(wholes[0])
    for node in model.graph.node:
        if node.op_type == "Softmax":
            node.op_type = "Neg"
            del node.attribute[:]
    path = tmp_path / "theirs.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="gives no probabilities"):
        load_decoder(path)
