"""Classifier and metadata into one decoder.onnx, written whole or not at all."""

import os
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from decoding.class_statistics import STATISTICS_KEY, ClassStatistics
from decoding.decoder_file import METADATA_KEY, DecoderFile, DecoderMetadata, load_decoder
from decoding.models.classifier import Classifier
from decoding.models.distance import GestureDistance
from emg_acquisition.arrays import IntArray
from emg_acquisition.errors import InputError

OPSET = 17
_CARRIED = "carried_"
IR_VERSION = 8  # what opset 17 came with: any onnxruntime from 1.12 reads it


def software_versions(model: str) -> dict[str, str]:
    """Versions of what a decoder is made with; torch's where the model is a network."""
    packages = (
        "hdemg-teleop",
        "numpy",
        "scipy",
        "onnx",
        "onnxruntime",
        *(("torch",) if model == "cnn" else ()),
    )
    return {package: version(package) for package in packages}


def export_decoder(
    classifier: Classifier,
    metadata: DecoderMetadata,
    path: Path,
    statistics: ClassStatistics | None = None,
    *,
    distance: GestureDistance | None = None,
) -> None:
    """Write a decoder file, and read it back as a decoder before it takes its name.

    Parameters
    ----------
    classifier : Classifier
        Its graph.
    metadata : DecoderMetadata
        What it declares.
    path : Path
        File to write.
    statistics : ClassStatistics, optional
        What a later recalibration starts from.
    distance : GestureDistance, optional
        Becomes the graph's second output.

    Raises
    ------
    InputError
        If the folder cannot be written to, or metadata and graph contradict each other.
    """
    graph = classifier.to_graph()
    if distance is not None:
        distance.add_to(graph)
    _write(graph, metadata, path, statistics)


def export_carried(
    decoder: DecoderFile,
    sources: IntArray,
    metadata: DecoderMetadata,
    path: Path,
    statistics: ClassStatistics | None,
) -> None:
    """Write a decoder whose graph is another's, each channel read from where its pattern lies now.

    Parameters
    ----------
    decoder : DecoderFile
        The decoder to carry over.
    sources : ndarray of int64, shape (n_channels,)
        The channel now in whose place each channel was then.
    metadata : DecoderMetadata
        What the new one declares.
    path : Path
        File to write.
    statistics : ClassStatistics or None
        Its class statistics, as the array lies now.

    Raises
    ------
    InputError
        As `export_decoder`.
    """
    graph = onnx.load_model_from_string(decoder.content).graph
    taken = graph.input[0].name
    # A decoder can be carried over again and again: each time one step more, under a name not yet taken.
    step = sum(node.op_type == "Gather" and node.name.startswith(_CARRIED) for node in graph.node)
    moved, table = f"{_CARRIED}features_{step}", f"{_CARRIED}sources_{step}"
    for node in graph.node:
        for at, name in enumerate(node.input):
            if name == taken:
                node.input[at] = moved
    graph.node.insert(
        0, helper.make_node("Gather", [taken, table], [moved], name=f"{_CARRIED}{step}", axis=1)
    )
    graph.initializer.append(numpy_helper.from_array(sources.astype(np.int64), table))
    _write(graph, metadata, path, statistics)


def _write(
    graph: onnx.GraphProto, metadata: DecoderMetadata, path: Path, statistics: ClassStatistics | None
) -> None:
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="hdemg-teleop",
    )
    properties = {METADATA_KEY: metadata.model_dump_json()}
    if statistics is not None:
        properties[STATISTICS_KEY] = statistics.to_text()
    helper.set_model_props(model, properties)
    onnx.checker.check_model(model)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        msg = f"{path}: cannot write the decoder ({error.strerror}); choose another place"
        raise InputError(msg) from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(model.SerializeToString(deterministic=True))
            file.flush()
            os.fsync(file.fileno())
        load_decoder(part)
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
