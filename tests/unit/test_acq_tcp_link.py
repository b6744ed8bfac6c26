"""The TCP link: whole frames out of any split of the bytes, one peer, clear words when it is gone."""

import socket
import threading
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.sources.tcp_link import Listener, TcpLink, connect_to


@pytest.fixture
def pair():
    """A link and the socket of its peer, over loopback."""
    listener = Listener("127.0.0.1", 0)
    peer = socket.create_connection((listener.host, listener.port))
    link = listener.accept(2.0)
    yield link, peer
    link.close()
    peer.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@settings(max_examples=40, deadline=None)
@given(
    frame_bytes=st.integers(1, 40),
    n_frames=st.integers(0, 12),
    rest=st.integers(0, 39),
    cuts=st.lists(st.integers(0, 500), max_size=10),
)
def test_any_split_gives_the_same_whole_frames(frame_bytes, n_frames, rest, cuts):
    data = bytes(i % 251 for i in range(n_frames * frame_bytes + rest % frame_bytes))
    near, far = _tcp_pair()
    link = TcpLink(near, "the peer")
    received = b""
    try:
        edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        for start, stop in pairwise(edges):
            far.sendall(data[start:stop])
            taken = link.read_frames(frame_bytes, 0.0)
            assert len(taken) % frame_bytes == 0
            received += taken
        far.close()
        while taken := _until_closed(link, frame_bytes):
            received += taken
    finally:
        link.close()
    assert received == data[: n_frames * frame_bytes]


def _until_closed(link, frame_bytes):
    try:
        return link.read_frames(frame_bytes, 20.0)
    except StreamLostError as error:
        assert "has closed the connection" in str(error)  # noqa: PT017 - ends a loop that may have read before
        return b""


def _tcp_pair():
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    return near, far


def test_half_a_frame_is_no_frame_and_is_kept(pair):
    link, peer = pair
    peer.sendall(b"abc")
    assert link.read_frames(4, 0.05) == b""
    peer.sendall(b"defgh")
    assert link.read_frames(4, 2.0) == b"abcdefgh"


def test_whatever_is_there_is_available(pair):
    link, peer = pair
    peer.sendall(b"ab")
    assert link.read_available(2.0) == b"ab"
    assert link.read_available(0.05) == b""


def test_silence_is_empty_and_takes_the_time_that_it_was_given(pair):
    link, _ = pair
    began_s = time.monotonic()
    assert link.read_frames(10, 0.1) == b""
    assert 0.09 <= time.monotonic() - began_s < 2.0


def test_closing_from_another_thread_ends_a_wait(pair):
    link, _ = pair
    timer = threading.Timer(0.1, link.close)
    timer.start()
    began_s = time.monotonic()
    with pytest.raises(StreamLostError):
        link.read_frames(10, 20.0)
    assert time.monotonic() - began_s < 5.0
    timer.join()


def test_nobody_but_the_one_peer_gets_in():
    listener = Listener("127.0.0.1", 0)
    peer = socket.create_connection((listener.host, listener.port))
    link = listener.accept(2.0)
    try:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((listener.host, listener.port), timeout=2.0)
    finally:
        link.close()
        peer.close()


def test_only_the_named_address_gets_in():
    listener = Listener("127.0.0.1", 0, only_from="127.0.0.2")
    stranger = socket.create_connection((listener.host, listener.port))
    try:
        with pytest.raises(StreamLostError, match=r"no device connected to 127\.0\.0\.1"):
            listener.accept(0.2)
        stranger.settimeout(2.0)
        assert stranger.recv(1) == b""
        wanted = socket.create_connection((listener.host, listener.port), source_address=("127.0.0.2", 0))
        link = listener.accept(2.0)
        wanted.sendall(b"x")
        assert link.read_frames(1, 2.0) == b"x"
        wanted.close()
        link.close()
    finally:
        stranger.close()
        listener.close()


def test_a_device_that_comes_between_two_calls_is_not_turned_away():
    listener = Listener("127.0.0.1", 0)
    with pytest.raises(StreamLostError, match=r"within 0\.05 s"):
        listener.accept(0.05)
    peer = socket.create_connection((listener.host, listener.port))
    listener.accept(2.0).close()
    peer.close()


def test_a_device_that_is_not_there_is_an_error_in_time():
    port = free_port()
    began_s = time.monotonic()
    with pytest.raises(StreamLostError, match=f"no device answers at 127.0.0.1:{port} within 0.3 s"):
        connect_to("127.0.0.1", port, 0.3)
    assert time.monotonic() - began_s < 2.0


def test_a_device_that_comes_later_is_reached():
    port = free_port()
    servers = []
    timer = threading.Timer(0.2, lambda: servers.append(socket.create_server(("127.0.0.1", port))))
    timer.start()
    link = connect_to("127.0.0.1", port, 5.0)
    link.close()
    timer.join()
    servers[0].close()


@pytest.mark.parametrize(("host", "port"), [("no such host", 5000), ("a" * 70, 1)])
def test_what_is_no_address_is_an_input_error(host, port):
    with pytest.raises(InputError, match="is no address and no known name"):
        connect_to(host, port, 0.3)


@pytest.mark.parametrize("port", [0, -1, 70000])
def test_what_is_no_port_is_an_input_error(port):
    with pytest.raises(InputError, match=f"port must be 1 to 65535, got {port}"):
        connect_to("127.0.0.1", port, 0.3)


def test_a_port_that_is_taken_and_a_foreign_address_are_input_errors():
    listener = Listener("127.0.0.1", 0)
    try:
        with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1:{listener.port}"):
            Listener("127.0.0.1", listener.port)
    finally:
        listener.close()
    with pytest.raises(InputError, match=r"cannot listen on 203\.0\.113\.7:5000"):
        Listener("203.0.113.7", 5000)


def test_finish_lets_the_last_word_arrive_although_bytes_are_unread(pair):
    link, peer = pair
    peer.sendall(b"unread" * 100)
    link.send(b"stop")
    done = threading.Thread(target=link.finish, args=(5.0,))
    done.start()
    peer.settimeout(5.0)
    assert peer.recv(10) == b"stop"
    assert peer.recv(10) == b""
    peer.close()
    done.join(5.0)
    assert not done.is_alive()
