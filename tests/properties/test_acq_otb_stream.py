"""Whatever happens to the bytes on the way: a sample that the driver gives is a whole one, and at its place."""

import socket
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.sources.otb_frames import FrameReader
from emg_acquisition.sources.otb_probes import MuoviSettings, muovi_layout
from emg_acquisition.sources.tcp_link import TcpLink

LAYOUT = muovi_layout(MuoviSettings("quattro-plus"))
N_SAMPLES = 300
FRAME_BYTES = 20


def sent_counts():
    """Electrodes and quaternion as pseudo-random counts of the sample's number, then a ramp about to wrap."""
    rows = np.random.default_rng(5).integers(-32768, 32768, (N_SAMPLES, 10))
    rows[:, -1] = (np.arange(N_SAMPLES) + 32768 - 150 + 32768) % 65536 - 32768
    return rows


def run_through(data, cuts):
    """Send bytes in pieces and read after each; returns the blocks and the error that ended it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    link = TcpLink(near, "the device")
    reader = FrameReader(link, LAYOUT, now_s=lambda: 100.0)
    blocks = []
    try:
        for start, stop in pairwise([0, *cuts, len(data)]):
            far.sendall(data[start:stop])
            blocks += reader.read(0.0)
        far.close()
        while True:
            blocks += reader.read(20.0)
    except (StreamLostError, InputError) as error:
        return blocks, error
    finally:
        link.close()
        far.close()


def check_places(blocks):
    """Hold every sample against what was sent at its place; returns how many came and how many were lost."""
    rows = sent_counts()
    at, lost = 0, 0
    for block in blocks:
        at += block.lost_before
        lost += block.lost_before
        expected = (rows[at : at + block.n_samples, :4] * np.longdouble("0.249")).astype(np.float32)
        assert np.array_equal(block.emg_uv[0], expected)
        assert np.array_equal(block.aux, rows[at : at + block.n_samples, 4:])
        at += block.n_samples
    return at - lost, lost


CUTS = st.lists(st.integers(1, N_SAMPLES * FRAME_BYTES - 1), max_size=12).map(sorted)


@settings(max_examples=40, deadline=None)
@given(cuts=CUTS)
def test_any_segmentation_gives_every_sample_once(cuts):
    blocks, error = run_through(sent_counts().astype(">i2").tobytes(), cuts)
    assert check_places(blocks) == (N_SAMPLES, 0)
    assert "has closed the connection" in str(error)


@settings(max_examples=80, deadline=None)
@given(
    at=st.integers(33 * FRAME_BYTES, (N_SAMPLES - 20) * FRAME_BYTES), missing=st.integers(1, 199), cuts=CUTS
)
def test_bytes_lost_on_the_way_never_move_a_sample(at, missing, cuts):
    data = sent_counts().astype(">i2").tobytes()
    data = data[:at] + data[at + missing :]
    blocks, error = run_through(data, [cut for cut in cuts if cut < len(data)])
    received, lost = check_places(blocks)
    if missing % FRAME_BYTES == 0:
        # The first sample behind the loss, which may be of two halves, is counted as lost.
        assert (received + lost, lost) == (N_SAMPLES, missing // FRAME_BYTES + 1)
    else:
        assert received + lost <= N_SAMPLES
        assert "aligned" in str(error) or received <= at // FRAME_BYTES + 1


@settings(max_examples=40, deadline=None)
@given(n_channels=st.integers(2, 30).filter(lambda n: n != 10), cuts=CUTS)
def test_another_channel_count_gives_no_sample_at_all(n_channels, cuts):
    rows = np.random.default_rng(6).integers(-32768, 32768, (N_SAMPLES, n_channels))
    rows[:, -1] = np.arange(N_SAMPLES)
    data = rows.astype(">i2").tobytes()
    blocks, error = run_through(data, [cut for cut in cuts if cut < len(data)])
    assert blocks == []
    assert isinstance(error, InputError) or len(data) < 32 * FRAME_BYTES
