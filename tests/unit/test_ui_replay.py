"""What the replay window shows, worked out without Qt, over a recorded session on disk."""

import math
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emg_acquisition.events import Event
from emg_acquisition.recording.session import load_session, open_session
from evaluation.session_timeline import commands_of, happenings_of, joints_of
from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import DOF_NAMES
from tests.replay_support import CUE_S, CUES, FS_HZ, GESTURES, HOP_S, SECONDS, write_session
from tests.waiting import wait_for
from ui.view_models import outline
from ui.view_models.outline import SessionOutline, is_read_exactly, rms_before, stretch
from ui.view_models.replay import MIN_SPAN_S, ReplayModel, ReplayPlace, ReplaySettings
from ui.view_models.replay_reader import ViewRequest
from ui.view_models.replay_words import (
    EVENTS_SHOWN,
    clock,
    decided_rows,
    event_rows,
    mistake_text,
    robot_rows,
)

LIMIT_S = 60.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_session(tmp_path_factory.mktemp("sessions") / "ses-look")


@pytest.fixture
def session(folder):
    return open_session(folder)


@pytest.fixture
def model(session):
    return ReplayModel(ReplaySettings(session, None, judges_replay=False, after_cue_s=1.0, before_next_s=0.5))


# ---- the place


@given(
    st.floats(0.5, 5000),
    st.lists(st.tuples(st.sampled_from(["seek", "zoom", "drag", "all"]), st.floats(-1e4, 1e4)), max_size=30),
)
def test_cursor_and_view_never_leave_the_session(seconds, acts):
    place = ReplayPlace(seconds)
    for act, value in acts:
        if act == "seek":
            place.seek(value)
            assert place.begin_s - 1e-9 <= place.cursor_s <= place.end_s + 1e-9
        elif act == "zoom":
            place.zoom(2.0 if value > 0 else 0.5, None if value < 5 else value)
        elif act == "drag":
            place.show(place.begin_s + value, place.end_s + value)
        else:
            place.show_all()
            assert (place.begin_s, place.end_s) == (0.0, seconds)
        assert 0 <= place.cursor_s <= seconds
        assert place.begin_s >= 0
        assert place.end_s <= seconds + 1e-9
        assert place.end_s - place.begin_s >= min(MIN_SPAN_S, seconds) - 1e-9


def test_zooming_keeps_what_the_mouse_points_at():
    place = ReplayPlace(100.0)
    place.show(10.0, 30.0)
    place.zoom(0.5, 15.0)
    assert (15.0 - place.begin_s) / (place.end_s - place.begin_s) == pytest.approx(0.25)
    assert place.end_s - place.begin_s == pytest.approx(10.0)


def test_playing_goes_on_at_its_speed_and_ends_at_the_end():
    place = ReplayPlace(10.0, speed=2.0)
    place.advance(1.0)
    assert place.cursor_s == 0.0
    place.play_or_pause()
    place.advance(1.5)
    assert place.cursor_s == pytest.approx(3.0)
    place.advance(100.0)
    assert (place.cursor_s, place.playing) == (10.0, False)
    place.play_or_pause()
    assert (place.cursor_s, place.playing) == (0.0, True)


def test_jumps_go_to_the_nearest_on_either_side_and_stop_playing():
    place, times = ReplayPlace(10.0), (2.0, 5.0, 7.0)
    place.play_or_pause()
    assert [(place.jump(times, 1), place.cursor_s) for _ in range(4)] == [
        *((True, 2.0), (True, 5.0), (True, 7.0), (False, 7.0))
    ]
    assert not place.playing
    assert (place.jump(times, -1), place.cursor_s) == (True, 5.0)


def test_the_clock():
    assert [clock(t_s) for t_s in (0.0, 61.0625, 3599.9996)] == ["0:00.000", "1:01.062", "60:00.000"]


# ---- the EMG


def outline_by_hand(emg_uv, per_column):
    """As it is said to be: about the mean of each second, and the least and greatest of each column."""
    piece = per_column * max(1, round(FS_HZ / per_column))
    low, high = [], []
    for start in range(0, len(emg_uv), piece):
        mean_uv = emg_uv[start : start + piece].mean(axis=0, dtype=np.float64)
        centred = emg_uv[start : start + piece] - mean_uv.astype(np.float32)
        for k in range(0, len(centred), per_column):
            low.append(centred[k : k + per_column].min(axis=0))
            high.append(centred[k : k + per_column].max(axis=0))
    return np.array(low), np.array(high)


@pytest.mark.parametrize(("begin_s", "end_s", "columns"), [(0.0, 3.3, 400), (17.2, 17.9, 50), (5.0, 40.0, 7)])
def test_a_short_stretch_is_exact(folder, session, begin_s, end_s, columns):
    emg_uv = load_session(folder).emg.emg_uv[round(begin_s * FS_HZ) : round(end_s * FS_HZ)]
    found = stretch(session.emg, SessionOutline(session.emg), begin_s, end_s, columns)
    low, high = outline_by_hand(emg_uv, math.ceil(len(emg_uv) / columns))
    np.testing.assert_array_equal(found.low, low)
    np.testing.assert_array_equal(found.high, high)
    assert found.t_s[0] == pytest.approx(begin_s, abs=1 / FS_HZ)


def test_a_long_stretch_comes_from_the_whole_and_loses_no_spike(folder, session, monkeypatch):
    monkeypatch.setattr(outline, "MAX_VALUES_READ", 1000)
    monkeypatch.setattr(outline, "SESSION_COLUMNS", 500)
    whole, shares = SessionOutline(session.emg), []
    assert not is_read_exactly(session.emg, 0.0, SECONDS)
    assert len(stretch(session.emg, whole, 0.0, SECONDS, 100).t_s) == 0
    whole.fill(threading.Event(), shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    emg_uv = load_session(folder).emg.emg_uv
    low, high = outline_by_hand(emg_uv, len(emg_uv) // 500)
    found = stretch(session.emg, whole, 0.0, SECONDS, 100)
    assert len(found.t_s) == 100
    np.testing.assert_array_equal(found.low, low.reshape(100, 5, -1).min(axis=1))
    np.testing.assert_array_equal(found.high, high.reshape(100, 5, -1).max(axis=1))
    assert 4.5 < whole.usual_rms_uv < 6
    assert 50 < whole.loud_rms_uv < 70


def test_the_heat_map_is_of_what_was_just_before_the_cursor(session):
    for k in range(session.emg.info.n_channels):
        rms_uv = rms_before(session.emg, k * CUE_S + 0.25)
        assert int(rms_uv.argmax()) == k
        assert 40 < rms_uv.max() < 80
        assert np.delete(rms_uv, k).max() < 10
    assert rms_before(session.emg, -1.0).tolist() == [0.0] * session.emg.info.n_channels


# ---- decisions, events, robot


def test_every_stretch_that_differs_from_its_cue_is_found_and_no_other(model):
    found = [(one.cued, one.decided, round(one.begin_s, 3), round(one.end_s, 3)) for one in model.mistakes]
    assert found == [("fist", "hand_open", 22.0, 22.5), ("hand_open", "none", 29.0, 31.5)]
    model.acts()["N"]()
    assert model.place.cursor_s == pytest.approx(22.0)
    assert mistake_text(model.mistakes, 22.1) == "1 of 2: hand open instead of fist, 500 ms"
    model.acts()["N"]()
    model.acts()["N"]()
    assert model.place.cursor_s == pytest.approx(29.0)
    model.acts()["P"]()
    assert model.place.cursor_s == pytest.approx(22.0)
    assert mistake_text(model.mistakes, 25.0) == "2 stretches differ from their cue, 1 of them before here"
    assert mistake_text((), 1.0) == "nothing differs from its cue"


def test_what_is_at_the_cursor_in_words(session, model):
    rows = decided_rows(model.cues, model.recorded, None, 22.2)
    assert [(row.name, row.text) for row in rows] == [("cue", "fist"), ("recorded", "hand open 0.90")]
    joints, commands = joints_of(session), commands_of(session)
    robot = {row.name: row.text for row in robot_rows(joints, commands, load_robot_model(), 10.01)}
    assert robot["lift"] == "+0.30 m → +0.30 m"
    assert robot["base translate"] == "+0.10 m/s"
    assert robot["arm"] == "+0.10 m → -"
    assert {row.text for row in robot_rows(None, None, load_robot_model(), 1.0)} == {"-", "- → -"}
    assert joints.values[:, DOF_NAMES.index("lift")].tolist() == pytest.approx(
        [0.2 + 0.01 * 0.05 * k for k in range(800)]
    )
    assert np.isnan(joints.values[:, :2]).all()


def test_events_around_the_cursor(model):
    assert [(one.text, one.bad) for one in model.happenings] == [
        ("arm armed by the operator", False),
        ("fault no decision for 0.10 s", True),
    ]
    tones = [row.tone for row in event_rows(model.happenings, 20.0)]
    assert tones == ["text", "bad"]
    many = model.happenings[:1] * 20
    assert len(event_rows(many, 0.5)) == EVENTS_SHOWN
    model.acts()["E"]()
    model.acts()["E"]()
    assert model.place.cursor_s == pytest.approx(35.0)
    model.acts()["Shift+E"]()
    assert model.place.cursor_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("kind", "fields", "text"),
    [
        ("mode", {"mode": "drive", "fine": True}, "mode drive fine"),
        ("mode", {"mode": "arm", "fine": False, "sleeve": ""}, "mode arm"),
        ("task_start", {"task": "cup", "trial": 0}, "task start cup 0"),
        ("note", {"places": [1, 2]}, "note [1, 2]"),
    ],
)
def test_an_event_in_words(session, kind, fields, text):
    (one,) = happenings_of(replace(session, events=(Event(1001.0, kind, fields),)))
    assert (one.t_s, one.text) == (pytest.approx(1.0), text)


def test_one_step_is_one_decision(model):
    for _ in range(4):
        model.acts()["Right"]()
    model.acts()["Left"]()
    assert model.place.cursor_s == pytest.approx(3 * HOP_S)
    assert model.gestures == GESTURES
    assert len(model.cues) == len(CUES)


# ---- the reader


def test_the_reader_answers_the_newest_request(model):
    reader = model.reader
    reader.start()
    try:
        for cursor_s in (1.0, 2.0, 6.0):
            request = ViewRequest(0.0, 10.0, 200, cursor_s)
            reader.ask(request)
        wait_for(lambda: reader.shown is not None and reader.shown.request == request)
        assert int(reader.shown.rms_uv.argmax()) == 1
        assert len(reader.shown.outline.t_s) == 200
        wait_for(reader.done.is_set)
        assert (reader.problem, reader.step) == ("", "")
        assert reader.commands is not None
        assert reader.joints is not None
    finally:
        reader.close()


def test_closing_ends_what_still_reads(model, monkeypatch):
    monkeypatch.setattr(model.reader.outline, "fill", lambda _ending, _progress: None)
    model.reader.start()
    model.reader.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("replay-")]


def test_a_damaged_journal_is_told_and_the_rest_is_shown(model, monkeypatch):
    def damaged(_text, path):
        from emg_acquisition.errors import InputError

        raise InputError(f"{path}: its bridge's journal cannot be read")

    monkeypatch.setattr("evaluation.session_timeline.entries_of", damaged)
    model.reader.start()
    try:
        wait_for(model.reader.done.is_set)
    finally:
        model.reader.close()
    assert "journal cannot be read" in model.state
    assert model.reader.commands is not None
    assert model.reader.outline.filled > 0
