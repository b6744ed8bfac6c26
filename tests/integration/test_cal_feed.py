"""The feed on a real LSL stream that is lost and comes back; the lock and the room that a calibration needs."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from calibration.emg_feed import EmgFeed
from calibration.protocol import CueSchedule
from calibration.start import CalibrationSettings, open_calibration
from emg_acquisition.errors import InputError
from emg_acquisition.streams.inlet import EmgInlet
from emg_acquisition.streams.outlet import EmgOutlet, lsl_clock_s
from tests.dec_support import FS_HZ, noise_uv, stream_info
from tests.waiting import wait_for

PROTOCOL = CueSchedule(gestures=("fist",), repetitions=2, rest_s=1.0, hold_s=1.0)


def outlet_of(source_id):

    return EmgOutlet(replace(stream_info(), source_id=source_id), 100)


def push(outlet, seconds, until_lsl_s):
    outlet.push(noise_uv(round(seconds * FS_HZ)), until_lsl_s)


@pytest.fixture
def source_id(lsl_session, request):
    return f"feed-{request.node.name[:20]}-{lsl_session[-6:]}"


def test_a_stream_that_was_lost_comes_back_and_what_spans_the_gap_is_not_whole(source_id):
    outlet = outlet_of(source_id)
    feed = EmgFeed(EmgInlet(source_id, 10.0))
    try:
        outlet.wait_for_consumers(10.0)
        first = lsl_clock_s()
        push(outlet, 1.0, first)
        wait_for(lambda: feed.snapshot().newest_lsl_s == pytest.approx(first))
        assert feed.snapshot().connected
        assert feed.snapshot().states
        before, t_lsl_s, whole = feed.between(first - 0.8, first - 0.2)
        assert whole
        assert len(before) == pytest.approx(600, abs=1)
        assert np.all(np.diff(t_lsl_s) > 0)
        outlet.close()
        del outlet
        wait_for(lambda: not feed.snapshot().connected)
        outlet = outlet_of(source_id)
        outlet.wait_for_consumers(20.0)
        wait_for(lambda: lsl_clock_s() > first + 1.5)  # what follows carries stamps of its last second
        second = lsl_clock_s()
        push(outlet, 1.0, second)
        wait_for(lambda: feed.snapshot().newest_lsl_s == pytest.approx(second))
        assert feed.snapshot().gaps == 1
        assert not feed.between(first - 0.5, second - 0.1)[2]
        assert feed.between(second - 0.8, second - 0.1)[2]
        assert len(feed.traces(0.5).emg_uv) == 500
    finally:
        feed.close()


def test_a_second_window_on_the_same_calibration_is_refused(source_id, tmp_path):
    outlet = outlet_of(source_id)
    settings = CalibrationSettings(tmp_path, "P01", PROTOCOL, source_id, session="T1")
    refused = pytest.raises(InputError, match="ses-T1 is open in another window")
    with open_calibration(settings), refused, open_calibration(settings):
        pass
    outlet.close()


def test_a_disk_that_is_nearly_full_is_told_before_anything_is_recorded(source_id, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=10_000))
    outlet = outlet_of(source_id)
    settings = CalibrationSettings(tmp_path, "P01", PROTOCOL, source_id, session="T1")
    refused = pytest.raises(InputError, match=r"has 0 MB left, a calibration may take .* MB; make room")
    with refused, open_calibration(settings):
        pass
    assert not list(tmp_path.glob("sub-P01/ses-*"))
    outlet.close()
