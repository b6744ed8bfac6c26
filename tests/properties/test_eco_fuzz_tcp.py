"""Broken byte streams of every amplifier protocol, over real TCP: whole samples, or the link is lost; never a crash."""

import socket
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import strategies as st

from emg_acquisition.grid_library import load_grid
from emg_acquisition.source import DeviceBlock
from emg_acquisition.sources import intan_commands
from emg_acquisition.sources.intan_codec import FRAMES_PER_BLOCK, MAGIC
from emg_acquisition.sources.intan_commands import IntanCommands
from emg_acquisition.sources.intan_rhx import IntanRhx, IntanSettings
from emg_acquisition.sources.otb_frames import PROOF_SAMPLES, FrameLayout, FrameReader
from emg_acquisition.sources.otb_probes import (
    MuoviSettings,
    StationProbe,
    SyncStationSettings,
    muovi_layout,
    station_layout,
)
from emg_acquisition.sources.otb_quattrocento import QuattrocentoSettings, QuattrocentoStream
from emg_acquisition.sources.otb_quattrocento import layout_of as quattrocento
from emg_acquisition.sources.otb_sessantaquattro import SessantaquattroSettings
from emg_acquisition.sources.otb_sessantaquattro import layout_of as sessantaquattro
from emg_acquisition.sources.tcp_link import TcpLink
from tests.fuzz_support import EITHER, broken_bytes, ends_in_our_error, run

LAYOUTS: dict[str, FrameLayout] = {
    "sessantaquattro": sessantaquattro(SessantaquattroSettings()),
    "sessantaquattro+": sessantaquattro(SessantaquattroSettings(plus=True)),
    "muovi": muovi_layout(MuoviSettings("muovi")),
    "muovi+": muovi_layout(MuoviSettings("muovi-plus")),
    "syncstation": station_layout(
        SyncStationSettings(probes=(StationProbe("muovi", 1), StationProbe("muovi-plus", 1)))
    ),
    "quattrocento": quattrocento(QuattrocentoSettings(streams=(QuattrocentoStream(("MULTIPLE-IN1",)),))),
}
N_SAMPLES = 2 * PROOF_SAMPLES
INTAN = IntanSettings(grids=(load_grid("sleeve-4x16"),), ports="A")
N_INTAN = 64


def _whole(layout: FrameLayout) -> bytes:
    """A stream as the device sends it: counts, and the ramp that numbers them."""
    half = 1 << (8 * layout.sample_bytes - 1)
    rows = np.random.default_rng(7).integers(-half, half, (N_SAMPLES, layout.n_channels))
    ramp = (np.arange(N_SAMPLES) + 32760 + 32768) % 65536 - 32768
    rows[:, list(layout.ramp_columns)] = ramp[:, np.newaxis]
    words = rows.astype(">i4" if layout.byte_order == "big" else "<i4").tobytes()
    octets = np.frombuffer(words, np.uint8).reshape(-1, 4)
    used = slice(4 - layout.sample_bytes, 4) if layout.byte_order == "big" else slice(0, layout.sample_bytes)
    return octets[:, used].tobytes()


def _pair() -> tuple[TcpLink, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    return TcpLink(near, "the device"), far


def _over_tcp(read_all: Callable[[TcpLink], None], data: bytes) -> None:
    """Send `data`, hang up, and let `read_all` have the other end."""
    link, far = _pair()
    try:
        far.sendall(data)
        far.close()
        ends_in_our_error(lambda: read_all(link))
    finally:
        far.close()
        link.close()


def _check(blocks: list[DeviceBlock], n_streams: int, most: int) -> None:
    assert sum(block.n_samples for block in blocks) <= most
    for block in blocks:
        assert block.lost_before >= 0
        assert len(block.emg_uv) == n_streams
        assert all(np.isfinite(emg_uv).all() and len(emg_uv) == block.n_samples for emg_uv in block.emg_uv)


@EITHER
@pytest.mark.parametrize("name", LAYOUTS)
def test_broken_frames_of_otb(name: str, cases: int) -> None:
    layout = LAYOUTS[name]
    whole = _whole(layout)

    def check(data: bytes) -> None:
        def read_all(link: TcpLink) -> None:
            reader = FrameReader(link, layout, now_s=lambda: 100.0)
            blocks: list[DeviceBlock] = []
            try:
                while True:
                    blocks += reader.read(5.0)
            finally:
                _check(blocks, len(layout.emg_columns), len(data) // layout.frame_bytes)

        _over_tcp(read_all, data)

    check(whole)
    run(cases, broken_bytes([whole]), check)


def _intan_blocks() -> bytes:
    counter = np.arange(3 * FRAMES_PER_BLOCK, dtype=np.uint32).reshape(3, -1)
    frame = np.dtype([("counter", "<u4"), ("counts", "<u2", (N_INTAN,))])
    blocks = np.zeros(3, np.dtype([("magic", "<u4"), ("frames", frame, (FRAMES_PER_BLOCK,))]))
    blocks["magic"] = MAGIC
    blocks["frames"]["counter"] = counter
    blocks["frames"]["counts"] = np.random.default_rng(3).integers(0, 65536, (3, FRAMES_PER_BLOCK, N_INTAN))
    return blocks.tobytes()


@EITHER
def test_broken_blocks_of_intan(cases: int) -> None:
    whole = _intan_blocks()

    def check(data: bytes) -> None:
        def read_all(link: TcpLink) -> None:
            device = IntanRhx(INTAN)
            device._waveforms = link
            blocks: list[DeviceBlock] = []
            try:
                while True:
                    blocks += device.read(5.0)
            finally:
                _check(blocks, 1, len(data) // (4 + N_INTAN * 2))

        _over_tcp(read_all, data)

    check(whole)
    run(cases, broken_bytes([whole]), check)


REPLIES = [
    b"Return: RunMode Stop",
    b"Return: SampleRateHertz 20000",
    b"Unrecognized command",
    b"Error: RunMode Return: RunMode Run",
    b"Return: RunMode ",
]


@EITHER
def test_broken_replies_of_intan(cases: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # A reply ends by silence; the other side has hung up here, so that nobody waits.
    monkeypatch.setattr(intan_commands, "REPLY_S", 5.0)

    def check(data: bytes) -> None:
        _over_tcp(lambda link: IntanCommands(link).prepare(["A-000"], 20000.0), data)

    run(cases, st.one_of(broken_bytes(REPLIES), broken_bytes([b"".join(REPLIES)])), check)
