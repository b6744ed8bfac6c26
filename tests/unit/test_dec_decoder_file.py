import dataclasses
import hashlib
import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from decoding.class_statistics import STATISTICS_KEY, ClassStatistics
from decoding.decoder_file import METADATA_KEY, DecoderMismatchError, load_decoder
from decoding.drift import DriftSettings
from decoding.models.export import export_decoder
from decoding.models.lda import fit_lda
from decoding.pipeline import DecoderPipeline
from decoding.signal_settings import SignalSettings
from decoding.temporal import TemporalSettings
from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid
from tests.dec_support import FS_HZ, GRID, LABELS, metadata, noise_uv, stream_info, write_decoder


@pytest.fixture
def path(tmp_path):
    return write_decoder(tmp_path / "decoder.onnx")


def test_what_was_written_is_read_back(path):
    decoder = load_decoder(path)
    assert decoder.metadata == metadata()
    assert decoder.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert decoder.metadata.electrode_grid == GRID
    assert decoder.metadata.rest_index == 0
    assert list(path.parent.iterdir()) == [path]


def test_the_hop_rate_is_that_of_whole_samples():
    assert metadata(info=stream_info(fs_hz=2048.0)).hop_rate_hz == pytest.approx(2048 / 51)


def test_writing_twice_gives_the_same_bytes(path, tmp_path):
    assert write_decoder(tmp_path / "again.onnx").read_bytes() == path.read_bytes()


def _stream(**changed):
    return dataclasses.replace(stream_info(), **changed)


SWAPPED = ("E2", "E1", *LABELS[2:])
TURNED = ElectrodeGrid("2x4", ((3, 2, 1, 0), (4, 5, 6, 7)), 10.0)


@pytest.mark.parametrize(
    ("stream", "named"),
    [
        (_stream(fs_hz=2000.0), "sampling rate 2000 Hz, trained at 1000 Hz"),
        (_stream(channel_labels=SWAPPED), r"channel order: channel 0 is 'E2', trained as 'E1' \(2 differ\)"),
        (
            _stream(channel_labels=("X", *LABELS[1:])),
            r"channel labels: channel 0 is 'X', trained as 'E1' \(1 differ\)",
        ),
        (_stream(grid=rectangular_grid(4, 2, 10.0)), "grid of 4 x 2, trained on 2 x 4"),
        (
            _stream(grid=TURNED),
            r"channel 3 at row 0, column 0 of the grid, trained with channel 0 there \(4 pl",
        ),
        (_stream(grid=rectangular_grid(2, 4, 10.0, "rows")), "wraps 'rows', trained with 'none'"),
        (_stream(grid=rectangular_grid(2, 4, 8.0)), "pitch 8 mm, trained at 10 mm"),
        (
            _stream(grid=rectangular_grid(2, 3, 10.0), channel_labels=LABELS[:6]),
            "grid of 2 x 3, trained on 2 x 4; 6 channels, trained on 8",
        ),
    ],
)
def test_another_stream_is_refused_and_the_difference_named(path, stream, named):
    with pytest.raises(DecoderMismatchError, match=named) as caught:
        DecoderPipeline(load_decoder(path), stream)
    assert "\n" not in str(caught.value)


def test_all_differences_are_named_at_once(path):
    stream = _stream(fs_hz=2000.0, channel_labels=SWAPPED)
    with pytest.raises(DecoderMismatchError, match=r"sampling rate.*; channel order"):
        load_decoder(path).metadata.verify_stream(stream)


def test_the_stream_it_was_trained_on_is_taken_whatever_its_name(path):
    DecoderPipeline(load_decoder(path), _stream(name="another", source_id="other-1", manufacturer="M"))


def _foreign(metadata_props: dict[str, str], n_channels: int = 8) -> bytes:
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"], axis=1),
        helper.make_node("Softmax", ["flat"], ["y"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, n_channels, 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, n_channels])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata_props)
    return model.SerializeToString()


def _changed(**fields) -> str:
    return json.dumps(json.loads(metadata().model_dump_json()) | fields)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "not a readable ONNX file"),
        (b"PK\x03\x04 a pickle or a zip", "not a readable ONNX file"),
        (_foreign({}), "no hdemg decoder"),
        (_foreign({METADATA_KEY: "{"}), "no JSON"),
        (_foreign({METADATA_KEY: "[]"}), "schema version None"),
        (_foreign({METADATA_KEY: _changed(schema_version=2)}), "schema version 2"),
        (_foreign({METADATA_KEY: _changed(surprise=1)}), "surprise: Extra inputs"),
        (_foreign({METADATA_KEY: _changed(fs_hz="fast")}), "fs_hz: "),
        (_foreign({METADATA_KEY: _changed(fs_hz=500.0)}), "filter_design is not that of the signal settings"),
        (_foreign({METADATA_KEY: _changed(gestures=["fist", "hand_open", "pinch"])}), "hold 'rest'"),
        (_foreign({METADATA_KEY: _changed(channel_labels=["E1"])}), "1 channel labels for 8 electrodes"),
        (_foreign({METADATA_KEY: _changed()}), r"gives \[1, 8\], its metadata says .* \[1, 3\]"),
        (_foreign({METADATA_KEY: _changed()}, n_channels=7), r"takes \[1, 7, 1\]"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_line(tmp_path, content, named):
    path = tmp_path / "decoder.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=named) as caught:
        load_decoder(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_decoder_is_refused_wherever_it_ends(path):
    content = path.read_bytes()
    for length in range(1, len(content), max(1, len(content) // 40)):
        path.write_bytes(content[:length])
        with pytest.raises(InputError):
            load_decoder(path)


@pytest.mark.parametrize("place", ["missing.onnx", "."])
def test_a_missing_file_or_a_folder_is_refused(tmp_path, place):
    with pytest.raises(InputError, match="cannot read the decoder"):
        load_decoder(tmp_path / place)


def test_a_decoder_that_contradicts_itself_is_not_written(tmp_path):
    path = tmp_path / "decoder.onnx"
    path.write_bytes(b"the one before")
    with pytest.raises(InputError, match="its metadata says"):
        write_decoder_with_two_features(path)
    assert path.read_bytes() == b"the one before"
    assert list(tmp_path.iterdir()) == [path]


def write_decoder_with_two_features(path):
    from decoding.models.export import export_decoder
    from decoding.models.lda import fit_lda

    features = np.random.default_rng(0).normal(size=(30, 8, 2)).astype(np.float32)
    export_decoder(fit_lda(features, np.arange(30) % 3, 3), metadata(), path)


def test_the_file_is_plain_onnx_with_its_normalisation_inside(path):
    model = onnx.load(path)
    assert [node.op_type for node in model.graph.node] == ["Flatten", "Sub", "Gemm", "Softmax"]
    assert json.loads(model.metadata_props[0].value)["fs_hz"] == FS_HZ


def test_running_a_decoder_needs_neither_torch_nor_onnx(path):
    code = (
        "import sys; from pathlib import Path; import numpy as np;"
        "from decoding.decoder_file import load_decoder; from decoding.pipeline import DecoderPipeline;"
        "from emg_acquisition.stream_info import EmgStreamInfo;"
        f"d = load_decoder(Path({str(path)!r})); m = d.metadata;"
        "s = EmgStreamInfo('s', 's-1', m.fs_hz, m.electrode_grid, m.channel_labels);"
        "print(len(DecoderPipeline(d, s).process(np.zeros((400, 8), np.float32))));"
        "sys.exit(bool({'torch', 'onnx', 'rclpy', 'pylsl'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "9"), done.stderr


def test_two_features_reach_the_graph(tmp_path):
    about = metadata(signal=SignalSettings(features=("log_rms", "waveform_length")))
    decoder = load_decoder(write_decoder(tmp_path / "d.onnx", about))
    assert decoder.classifier().input_shape == (1, 8, 2)


def test_a_decoder_from_before_changes_had_a_dwell_of_their_own_decides_as_it_did(path, tmp_path):
    model = onnx.load(path)
    about = json.loads(model.metadata_props[0].value)
    del about["decision"]["change_dwell_hops"], about["decision"]["recent_hops"], about["signal"]["spatial"]
    model.metadata_props[0].value = json.dumps(about)
    onnx.save(model, tmp_path / "old.onnx")
    loaded = load_decoder(tmp_path / "old.onnx").metadata
    assert loaded.decision.change_dwell_hops is None
    assert loaded.signal.spatial == "none"


def _with_statistics(path, statistics, about=None):
    features = np.random.default_rng(0).normal(3.0, 1.0, (60, 8, 1)).astype(np.float32)
    export_decoder(fit_lda(features, np.arange(60) % 3, 3), about or metadata(), path, statistics)
    return path


def _statistics(n_channels: int = 8) -> ClassStatistics:
    return ClassStatistics(
        np.ones((3, n_channels, 1), dtype=np.float32), np.eye(n_channels, dtype=np.float32), 6
    )


def test_class_statistics_are_read_back_and_may_be_absent(path, tmp_path):
    assert load_decoder(path).statistics is None
    found = load_decoder(_with_statistics(tmp_path / "with.onnx", _statistics())).statistics
    assert found is not None
    np.testing.assert_array_equal(found.means, _statistics().means)
    np.testing.assert_array_equal(found.covariance, _statistics().covariance)


def test_class_statistics_that_contradict_the_metadata_are_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"class statistics of shape \(3, 7, 1\), its metadata says \(3, 8, 1\)"
    ):
        _with_statistics(tmp_path / "d.onnx", _statistics(7))
    assert list(tmp_path.iterdir()) == []


def test_damaged_class_statistics_are_refused(tmp_path):
    path = _with_statistics(tmp_path / "d.onnx", _statistics())
    model = onnx.load(path)
    helper.set_model_props(
        model, {one.key: "{}" if one.key == STATISTICS_KEY else one.value for one in model.metadata_props}
    )
    onnx.save(model, path)
    with pytest.raises(InputError, match="its class statistics cannot be read"):
        load_decoder(path)


def test_drift_cannot_be_followed_without_class_statistics(tmp_path):
    about = metadata().model_copy(update={"drift": DriftSettings()})
    with pytest.raises(InputError, match="follows drift but holds no class statistics"):
        _with_statistics(tmp_path / "d.onnx", None, about)


def test_a_decoder_from_before_the_temporal_model_has_none_and_decides_as_it_did(path, tmp_path):
    model = onnx.load(path)
    about = json.loads(model.metadata_props[0].value)
    del about["temporal"]
    model.metadata_props[0].value = json.dumps(about)
    onnx.save(model, tmp_path / "old.onnx")
    emg_uv = noise_uv(1500)
    said = [
        [
            one.to_values().tobytes()
            for one in DecoderPipeline(load_decoder(one), stream_info()).process(emg_uv)
        ]
        for one in (path, tmp_path / "old.onnx")
    ]
    assert said[0] == said[1]
    assert load_decoder(tmp_path / "old.onnx").metadata.temporal is None


def test_a_temporal_model_is_read_back_and_a_hold_shorter_than_a_hop_refused(tmp_path):
    about = metadata().model_copy(update={"temporal": TemporalSettings(mean_hold_s=4.0)})
    assert load_decoder(write_decoder(tmp_path / "d.onnx", about)).metadata.temporal == about.temporal
    short = about.model_copy(update={"temporal": TemporalSettings(mean_hold_s=0.02)})
    with pytest.raises(
        InputError, match=r"temporal.mean_hold_s must be 0.025 s \(a hop\) at least, got 0.02"
    ):
        write_decoder(tmp_path / "d.onnx", short)
