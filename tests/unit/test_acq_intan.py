"""RHX's blocks byte for byte, and how the driver answers what RHX says, against a server written here."""

import socket
import struct
import threading

import numpy as np
import pytest

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.sources.intan_codec import block_bytes, channels_of_block, decode_blocks
from emg_acquisition.sources.intan_commands import IntanCommands
from emg_acquisition.sources.intan_rhx import IntanRhx, IntanSettings
from emg_acquisition.sources.tcp_link import TcpLink

GRID = rectangular_grid(4, 16, 16.0)


def block(counter, counts):
    """One block as the protocol's description has it, built value by value."""
    data = struct.pack("<I", 0x2EF07A08)
    for k, row in enumerate(counts):
        data += struct.pack("<I", (counter + k) % 2**32) + struct.pack(f"<{len(row)}H", *row)
    return data


def test_a_block_of_64_channels_has_16900_bytes_and_counts_become_microvolts():
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 2**16, (128, 64))
    counts[0, :3] = 0, 32768, 65535
    data = block(2**32 - 5, counts)
    assert len(data) == block_bytes(64) == 16_900
    blocks = decode_blocks(data, 64)
    assert blocks.counter[0].tolist() == [(2**32 - 5 + k) % 2**32 for k in range(128)]
    np.testing.assert_array_equal(blocks.emg_uv, (0.195 * (counts - 32768.0)).astype(np.float32))
    assert blocks.emg_uv[0, :3].tolist() == pytest.approx([-6389.76, 0.0, 6389.565])


def test_the_number_of_channels_can_be_told_where_two_blocks_are_there():
    data = block(0, [[1] * 20] * 128)
    assert channels_of_block(data + data) == 20
    assert channels_of_block(data) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ports": "BA", "grids": (GRID, GRID)}, "in order"),
        ({"ports": "AB"}, "1 grids for the 2 ports"),
        ({"channels": (3, 1)}, "ascending"),
        ({"channels": tuple(range(32))}, "64 electrodes, 32 channels"),
        ({"channels": (128,)}, "0 to 127"),
        ({"fs_hz": 40_000.0}, "30000 Hz at most"),
    ],
)
def test_settings_that_do_not_fit_are_refused_by_name(changes, words):
    with pytest.raises(InputError, match=words):
        IntanSettings(**{"grids": (GRID,), **changes})


def test_channels_and_grid_are_declared_as_rhx_names_them():
    device = IntanRhx(IntanSettings((GRID, GRID), ports="AC", channels=tuple(range(64, 128)), serial="7"))
    left, right = device.infos
    assert (left.source_id, right.source_id) == ("intan-7-a", "intan-7-c")
    assert (left.channel_labels[0], right.channel_labels[-1]) == ("A-064", "C-127")
    assert left.grid == GRID


class ScriptedServer:
    """Answers commands with the texts given, each cut in two packets."""

    def __init__(self, replies):
        server = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(server.getsockname())
        self.peer = server.accept()[0]
        server.close()
        self.link = TcpLink(client, "RHX")
        self.replies, self.heard = replies, []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while data := self.peer.recv(4096):
            for text in data.decode().split(";"):
                self.heard.append(text)
                reply = self.replies.pop(0).encode() if text.startswith("get") and self.replies else b""
                for part in (reply[:15], reply[15:]):
                    self.peer.sendall(part)

    def close(self):
        self.link.close()
        self.thread.join(5.0)
        self.peer.close()


@pytest.fixture
def serve():
    servers = []

    def start(*replies):
        servers.append(ScriptedServer(list(replies)))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr("emg_acquisition.sources.intan_commands.REPLY_S", 0.2)


READY = (
    "Return: RunMode Stop",
    "Return: SampleRateHertz 4000",
    "Return: RunMode Stop",
    "Return: TCPNumberDataBlocksPerWrite 1",
)


def test_the_set_up_is_the_documented_sequence(serve):
    server = serve(*READY, "Return: RunMode Run")
    commands = IntanCommands(server.link)
    commands.prepare(["A-000", "A-001"], 4000.0)
    commands.run()
    assert [text.lower() for text in server.heard if text] == [
        "get runmode",
        "get sampleratehertz",
        "execute disconnecttcpwaveformdataoutput",
        "execute clearalldataoutputs",
        "set a-000.tcpdataoutputenabled true",
        "set a-001.tcpdataoutputenabled true",
        "get runmode",
        "set tcpnumberdatablocksperwrite 1",
        "execute connecttcpwaveformdataoutput",
        "get tcpnumberdatablocksperwrite",
        "set runmode run",
        "get runmode",
    ]


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        (
            ("Return: RunMode Stop", "Return: SampleRateHertz 30000"),
            "RHX runs at 30000 Hz, 4000 Hz was asked for",
        ),
        (
            (*READY[:2], "Unrecognized parameterReturn: RunMode Stop"),
            "refuses: Unrecognized param",
        ),
        ((*READY[:3], "Return: TCPNumberDataBlocksPerWrite 10"), "at 10, 1 is required"),
        (("Error - Command 1: Unrecognized command",), "Unrecognized command"),
    ],
)
def test_what_rhx_refuses_is_one_line_that_says_why(serve, replies, words):
    with pytest.raises(InputError, match=words):
        IntanCommands(serve(*replies).link).prepare(["A-000"], 4000.0)


def test_an_rhx_that_does_not_answer_is_lost(serve):
    with pytest.raises(StreamLostError, match="does not answer"):
        IntanCommands(serve().link).prepare(["A-000"], 4000.0)
