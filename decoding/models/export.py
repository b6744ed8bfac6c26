"""Classifier and metadata into one decoder.onnx, written whole or not at all."""

import os
import tempfile
from importlib.metadata import version
from pathlib import Path

import onnx
from onnx import helper

from decoding.decoder_file import METADATA_KEY, DecoderMetadata, load_decoder
from decoding.models.classifier import Classifier
from decoding.models.distance import GestureDistance
from emg_acquisition.errors import InputError

OPSET = 17
IR_VERSION = 8  # what opset 17 came with: any onnxruntime from 1.12 reads it


def software_versions() -> dict[str, str]:
    """Versions of what a decoder is made with."""
    packages = ("hdemg-teleop", "numpy", "scipy", "torch", "onnx", "onnxruntime")
    return {package: version(package) for package in packages}


def export_decoder(
    classifier: Classifier, metadata: DecoderMetadata, path: Path, distance: GestureDistance | None = None
) -> None:
    """Write a decoder file, and read it back as a decoder before it takes its name.

    With a `distance`, its graph has a second output.

    Raises
    ------
    InputError
        If the folder cannot be written to, or metadata and graph contradict each other.
    """
    graph = classifier.to_graph()
    if distance is not None:
        distance.add_to(graph)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="hdemg-teleop",
    )
    helper.set_model_props(model, {METADATA_KEY: metadata.model_dump_json()})
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
