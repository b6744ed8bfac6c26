"""BrainFlow's synthetic board, which needs no hardware, and boards that are not there."""

import numpy as np
import pytest

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.grid import rectangular_grid

pytest.importorskip("brainflow")
from emg_acquisition.sources.brainflow_board import BrainFlowBoard, BrainFlowSettings
from tests.device_support import read_blocks
from tests.waiting import wait_for


@pytest.fixture
def synthetic():
    opened = []

    def start(**changes):
        opened.append(BrainFlowBoard(BrainFlowSettings("synthetic", **changes)))
        return opened[-1]

    yield start
    for board in opened:
        board.close()


def test_electrodes_in_microvolts_and_the_rest_apart_over_the_end_of_the_counter(synthetic):
    board = synthetic(serial="7")
    (info,) = board.infos
    assert (info.source_id, info.fs_hz, info.n_channels) == ("brainflow-synthetic-7", 250.0, 16)
    kinds = [channel.kind for channel in board.aux_info.channels]
    assert kinds[:4] == ["counter", "accelerometer", "accelerometer", "accelerometer"]
    assert "battery" in kinds
    board.connect(1.0)
    blocks = read_blocks(board, 300)
    assert [block.lost_before for block in blocks] == [0] * len(blocks)
    counts = np.concatenate([block.aux[:, 0] for block in blocks])
    np.testing.assert_array_equal(np.diff(counts) % 256, 1)
    # Its channels are sines of a growing frequency with some noise: tens of microvolts.
    emg_uv = np.concatenate([block.emg_uv[0] for block in blocks])
    assert emg_uv.dtype == np.float32
    assert ((emg_uv.std(axis=0) > 1) & (emg_uv.std(axis=0) < 1000)).all()


def test_what_the_counter_shows_to_be_lost_is_told(synthetic, monkeypatch):
    board = synthetic()
    board.connect(1.0)
    read_blocks(board, 64)
    shim = board._board
    original = shim.get_board_data
    lossy = []

    def lose_ten():
        rows = original()
        if rows.shape[1] > 25 and not lossy:
            lossy.append(True)
            return np.delete(rows, np.arange(8, 18), axis=1)
        return rows

    monkeypatch.setattr(shim, "get_board_data", lose_ten)
    wait_for(lambda: shim.get_board_data_count() > 25, "a block to lose samples of")
    blocks = read_blocks(board, 64)
    assert [block.lost_before for block in blocks if block.lost_before] == [10]


def test_a_counter_that_counts_something_else_is_not_taken_for_loss(synthetic, caplog):
    board = synthetic()
    samples = np.zeros((100, 32))
    samples[:, 0] = np.repeat(np.arange(50), 2)
    assert [(block.n_samples, block.lost_before) for block in board._blocks(samples)] == [(100, 0)]
    assert "losses cannot be detected" in caplog.text


def test_it_can_be_connected_again_and_read_only_while_connected(synthetic):
    board = synthetic()
    for _ in range(2):
        board.connect(1.0)
        assert read_blocks(board, 64)
        board.close()
        with pytest.raises(StreamLostError, match="connect first"):
            board.read(0.1)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"board": "cytn"}, "similar: CYTON_BOARD"),
        ({"board": "synthetic", "fs_hz": 2000.0}, "runs at 250 Hz, 2000 Hz"),
        (
            {"board": "synthetic", "grid": rectangular_grid(4, 16, 8.0)},
            "64 electrodes, Synthetic has 16 channels",
        ),
    ],
)
def test_what_the_board_has_not_is_refused_by_name(settings, words):
    with pytest.raises(InputError, match=words):
        BrainFlowBoard(BrainFlowSettings(**settings))


def test_a_board_that_is_not_there_is_lost_and_one_without_its_port_is_bad_input():
    with pytest.raises(StreamLostError, match="does not reach Cyton"):
        BrainFlowBoard(BrainFlowSettings("cyton", serial_port="/dev/there-is-none")).connect(1.0)
    with pytest.raises(InputError, match="cannot set up Cyton"):
        BrainFlowBoard(BrainFlowSettings("cyton")).connect(1.0)
