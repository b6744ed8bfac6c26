"""A scripted device on real LSL: its losses are told, its streams stay open, time never runs backwards."""

import threading
import time
from collections import deque

import numpy as np
import pytest

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.source import DeviceBlock
from emg_acquisition.stream_info import AuxChannel, AuxStreamInfo, EmgStreamInfo
from emg_acquisition.streams.device_publisher import DeviceLimits, connect_device
from emg_acquisition.streams.inlet import EmgInlet
from emg_acquisition.streams.outlet import AuxOutlet, EmgOutlet
from emg_acquisition.streams.stream_xml import aux_info_from_xml
from tests.device_support import AuxReader, Running
from tests.waiting import PATIENCE_S, wait_for

pytestmark = pytest.mark.usefixtures("lsl_session")

FS_HZ = 1000.0
LIMITS = DeviceLimits(silent_s=0.2, lost_s=0.6)


class ScriptedDevice:
    """Counts; `read` gives what the script says: samples, ("lost" or "leap", n), ("quiet", s) or an error."""

    def __init__(self, name, script, *, unreachable=0):
        grid = rectangular_grid(1, 2, 8.0)
        self.infos = tuple(
            EmgStreamInfo(f"{name} {side}", f"{name}-{side}", FS_HZ, grid, ("a", "b"))
            for side in ("left", "right")
        )
        self.aux_info = AuxStreamInfo(name, f"{name}-left-aux", FS_HZ, (AuxChannel("counter", "counter"),))
        self.script = deque(script)
        self.unreachable = unreachable
        self.calls = []
        self.count = 0
        self.released = threading.Event()

    def connect(self, timeout_s):
        self.calls.append("connect")
        if self.unreachable:
            self.unreachable -= 1
            time.sleep(0.02)
            raise StreamLostError("nobody there")
        self.t_connected_s = time.monotonic()
        self.sent = 0

    def read(self, timeout_s):
        # Nothing is sent before the test reads every stream.
        assert self.released.wait(PATIENCE_S)
        step = self.script.popleft() if self.script else 20
        if isinstance(step, Exception):
            raise step
        lost = 0
        if isinstance(step, tuple):
            what, amount = step
            if what == "quiet":
                # A call waits at most for its time-out; the rest of the silence is for the next ones.
                if amount > timeout_s:
                    self.script.appendleft(("quiet", amount - timeout_s))
                time.sleep(min(amount, timeout_s))
                return []
            lost, step = amount, 20
            # A leap of the counter takes no time; what is lost does.
            self.sent += lost if what == "lost" else 0
        self.count += lost
        self.sent += step
        # As a device does, at its own pace.
        time.sleep(max(0.0, self.t_connected_s + self.sent / FS_HZ - time.monotonic()))
        n = self.count + np.arange(step, dtype=np.float32)
        self.count += step
        left = np.stack((n, -n), axis=1)
        return [DeviceBlock((left, left + 0.5), n[:, np.newaxis], lost)]

    def close(self):
        self.calls.append("close")


@pytest.fixture
def running():
    started = []

    def start(device, limits=LIMITS, **options):
        started.append(Running(device, limits, **options))
        return started[-1]

    yield start
    for run in started:
        run.close()


def joined(chunks):
    return np.concatenate([c.emg_uv for c in chunks]), np.concatenate([c.t_lsl_s for c in chunks])


def test_every_stream_carries_the_same_stamps_and_a_loss_is_its_exact_gap(running):
    device = ScriptedDevice("exact", [20] * 20 + [("lost", 50)])
    run = running(device)
    right = run.opened(EmgInlet("exact-right", 5.0))
    aux = run.opened(AuxReader("exact-left-aux"))
    assert aux_info_from_xml(aux.header_xml) == device.aux_info
    run.release().pull_until(lambda: run.has_sample(800) and run.seen("device_gap"))
    gap = next(chunk for chunk in run.chunks if chunk.gap_before_s > 0)
    assert gap.gap_before_s == pytest.approx(50 / FS_HZ, rel=1e-3)
    assert gap.emg_uv[0, 0] == 450  # 400 samples came, 50 did not
    (event,) = run.seen("device_gap")
    assert event.fields["lost_samples"] == 50
    assert event.t_lsl_s == pytest.approx(float(gap.t_lsl_s[0]), abs=1e-9)
    values, t_lsl_s = joined(run.chunks)
    # The LSL clock is the monotonic clock: each stamp is when the sample was taken, and later than no arrival.
    taken_s = device.t_connected_s + (values[:, 0] + 1) / FS_HZ
    assert np.abs(t_lsl_s - taken_s).max() < 0.05
    right_uv, right_t_s = joined(right.pull(1.0))
    n_common = min(len(values), len(right_uv))
    assert n_common > 600
    np.testing.assert_array_equal(right_uv[:n_common], values[:n_common] + np.float32(0.5))
    np.testing.assert_array_equal(right_t_s[:n_common], t_lsl_s[:n_common])
    counter, aux_t_s = aux.pull()
    n_common = min(len(values), len(counter))
    assert n_common > 600
    np.testing.assert_array_equal(counter[:n_common, 0], values[:n_common, 0])
    np.testing.assert_array_equal(aux_t_s[:n_common], t_lsl_s[:n_common])
    report = run.end()
    assert (report.gaps, report.lost_samples, report.reconnects) == (1, 50, 0)


def test_a_lost_device_is_told_and_reconnected_and_its_streams_stay_open(running):
    device = ScriptedDevice("lost", [20] * 20 + [StreamLostError("the cable is out")])
    run = running(device).release()
    device.unreachable = 5
    run.pull_until(lambda: run.seen("device_back") and run.has_sample(500))
    (lost,), (back,) = run.seen("device_lost"), run.seen("device_back")
    assert lost.fields["reason"] == "the cable is out"
    assert back.t_lsl_s - lost.t_lsl_s < 2.0
    assert device.calls[:3] == ["connect", "close", "connect"]
    # The same inlet reads on; what it sees is one gap, and then samples at the time when they were taken.
    values, t_lsl_s = joined(run.chunks)
    assert (np.diff(t_lsl_s) > 0).all()
    (gap,) = [chunk for chunk in run.chunks if chunk.gap_before_s > 0]
    assert gap.emg_uv[0, 0] == 400
    after = values[:, 0] >= 400
    taken_s = device.t_connected_s + (values[after, 0] - 400 + 1) / FS_HZ
    assert np.abs(t_lsl_s[after] - taken_s).max() < 0.05
    assert run.end().reconnects == 1
    assert device.calls[-1] == "close"


def test_silence_is_told_first_and_taken_for_loss_later(running):
    run = running(ScriptedDevice("quiet", [20] * 16 + [("quiet", 1.0)])).release()
    run.pull_until(lambda: run.seen("device_back"))
    silent, lost = run.seen("device_silent")[0], run.seen("device_lost")[0]
    assert 0.1 < lost.t_lsl_s - silent.t_lsl_s < 1.0
    assert "no sample for 0.6 s" in lost.fields["reason"]


def test_a_short_silence_loses_nothing_and_leaves_no_gap(running):
    """What was held up on its way comes late, with the stamps that it had anyway."""
    run = running(ScriptedDevice("held-up", [20] * 20 + [("quiet", 0.35)])).release()
    run.pull_until(lambda: run.has_sample(800))
    assert [event.kind for event in run.events] == ["device_silent"]
    assert not [chunk for chunk in run.chunks if chunk.gap_before_s > 0]


def test_samples_from_before_a_reconnect_are_not_sent_with_new_stamps(running):
    """A device that kept what it could not send delivers it in one burst when it is back: it is old, and dropped."""
    device = ScriptedDevice("kept", [20] * 20 + [StreamLostError("the cable is out"), 1000])
    run = running(device).release()
    original = device.connect

    def back_with_a_backlog(timeout_s):
        original(timeout_s)
        device.t_connected_s -= 1.0  # what it sends at once was taken in the second before

    device.connect = back_with_a_backlog
    run.pull_until(lambda: run.seen("device_back") and run.has_sample(1800))
    stamps = np.concatenate([chunk.t_lsl_s for chunk in run.chunks])
    values = np.concatenate([chunk.emg_uv for chunk in run.chunks])[:, 0]
    assert (np.diff(stamps) > 0).all()
    after = values[values >= 400]
    # Of the 1000 in the burst only those taken after the last sample sent may come, and with stamps of their age.
    assert 700 < after[0] < 1450
    t_1500 = stamps[values == 1500][0]
    np.testing.assert_allclose(stamps[values >= 400], t_1500 + (after - 1500) / FS_HZ, atol=0.005)


def test_lasting_lateness_is_a_loss_not_a_shift_of_time(running, monkeypatch):
    monkeypatch.setattr("emg_acquisition.streams.sample_clock.WINDOW_SEGMENTS", 10)
    device = ScriptedDevice("late", [20] * 30 + [("quiet", 0.4)] + [20] * 5)
    run = running(device)
    original = device.read

    def paused(timeout_s):
        if device.script and isinstance(device.script[0], tuple):
            device.t_connected_s += 0.1  # it does not catch up: the device itself stood still
        return original(timeout_s)

    device.read = paused
    run.release().pull_until(lambda: run.seen("device_back"))
    assert "late for their count" in run.seen("device_lost")[0].fields["reason"]


def test_a_counter_that_leaps_is_a_fault_of_the_device_and_no_time_stamp_is_in_the_future(running):
    run = running(ScriptedDevice("leap", [20] * 20 + [("leap", 5000)])).release()
    run.pull_until(lambda: run.seen("device_back"))
    assert "early for their count" in run.seen("device_lost")[0].fields["reason"]
    assert not run.seen("device_gap")
    assert all(chunk.t_lsl_s[-1] < run.seen("device_back")[0].t_lsl_s for chunk in run.chunks)


def test_another_device_in_its_place_ends_it_and_closes_it(running):
    device = ScriptedDevice("other", [20] * 15 + [InputError("it sends 70 channels, 38 were asked for")])
    run = running(device, read=False).release()
    run.thread.join(PATIENCE_S)
    assert isinstance(run.result[0], InputError)
    assert device.calls[-1] == "close"


@pytest.mark.parametrize("away", [False, True])
def test_it_ends_within_a_second_even_while_the_device_is_away(running, away):
    device = ScriptedDevice(f"ends-{away}", [20] * 20 + ([StreamLostError("gone")] if away else []))
    run = running(device, read=False)
    device.unreachable = 10**6 if away else 0
    run.release()
    wait_for(lambda: device.calls.count("connect") >= 4 if away else device.count >= 400)
    t_s = time.monotonic()
    report = run.end()
    assert time.monotonic() - t_s < 1.0
    assert report.samples >= 200
    assert device.calls[-1] == "close"


def test_connecting_tries_until_its_time_is_over_or_it_is_stopped():
    device = ScriptedDevice("late-start", [], unreachable=3)
    assert connect_device(device, 5.0, threading.Event())
    assert device.calls == ["connect"] * 4
    device.unreachable = 10**6
    with pytest.raises(StreamLostError, match="nobody there"):
        connect_device(device, 0.4, threading.Event())
    stop = threading.Event()
    stop.set()
    assert not connect_device(device, 5.0, stop)


def test_an_outlet_takes_a_stamp_and_every_channel_of_each_sample_or_nothing():
    device = ScriptedDevice("shapes", [])
    for outlet in (EmgOutlet(device.infos[0], 10), AuxOutlet(device.aux_info, 10)):
        n_channels = outlet.n_channels
        with pytest.raises(ValueError, match="2 time stamps for 3 samples"):
            outlet.push_stamped(np.zeros((3, n_channels), np.float32), np.zeros(2))
        with pytest.raises(ValueError, match=rf"\(n_samples, {n_channels}\) is required"):
            outlet.push_stamped(np.zeros((3, n_channels + 1), np.float32), np.zeros(3))
        outlet.close()
