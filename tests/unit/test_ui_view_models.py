"""What windows show, worked out without Qt."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.session_view import ActionKind, Step
from tests import calibration_views
from ui.view_models.calibration_controls import Choice, choices, controls_of, stage_of
from ui.view_models.outline import LANES_UV, lane_uv, outline

VIEWS = calibration_views.views()


@given(st.integers(0, 500), st.integers(1, 60))
def test_an_outline_holds_every_spike_of_the_newest_samples(n_samples, columns):
    emg_uv = np.random.default_rng(n_samples).normal(5.0, 10.0, (n_samples, 3)).astype(np.float32)
    low, high = outline(emg_uv, columns)
    assert low.shape == high.shape
    assert len(low) <= columns
    if n_samples == 0:
        assert len(low) == 0
        return
    per_column = max(1, n_samples // columns)
    newest = emg_uv[n_samples - len(low) * per_column :]
    assert len(low) == min(columns, n_samples)
    for k in range(len(low)):
        column = newest[k * per_column : (k + 1) * per_column] - newest.mean(axis=0)
        assert np.array_equal(low[k], column.min(axis=0))
        assert np.array_equal(high[k], column.max(axis=0))


def test_an_outline_leaves_its_input_as_it_is():
    emg_uv = np.ones((100, 2), dtype=np.float32)
    emg_uv.flags.writeable = False
    outline(emg_uv, 10)


@pytest.mark.parametrize(
    ("rms_uv", "lane"), [(0.0, 20.0), (4.0, 20.0), (4.1, 50.0), (1e9, 50000.0), (np.nan, 50000.0)]
)
def test_a_lane_is_a_round_figure_that_holds_the_signal(rms_uv, lane):
    assert lane_uv(rms_uv) == lane
    assert lane in LANES_UV


@pytest.mark.parametrize("name", VIEWS)
def test_every_action_that_is_allowed_has_a_button_and_keys_are_told_apart(name):
    view = VIEWS[name]
    found = choices(view)
    controls = controls_of(view, found[0] if view.step is Step.RESULT else None)
    keys = [control.key for control in controls]
    assert len(set(keys)) == len(keys)
    # Keys of the window itself: light or dark, hand, words, sounds, size.
    assert not set(keys) & set("DHWO+")
    wanted = set(view.allowed)
    if view.step is Step.RESULT:
        wanted -= {ActionKind.NEXT}  # the same as trying it out
    if view.step is Step.RESULT and view.result is None:
        wanted -= {ActionKind.MERGE_GESTURES}  # nobody knows yet with which
    if view.step is Step.TRY_OUT:
        wanted -= {ActionKind.DROP_GESTURE, ActionKind.MERGE_GESTURES}  # on the screen with the confusions
    told = {control.action.kind for control in controls}
    if view.step in {Step.CUE, Step.WAITING}:
        wanted -= {ActionKind.STOP}  # by way of the pause
    assert told == wanted


@pytest.mark.parametrize("name", VIEWS)
def test_nothing_that_ends_a_calibration_is_the_first_choice(name):
    view = VIEWS[name]
    main = [control for control in controls_of(view, None) if control.tone == "main"]
    assert len(main) <= 1
    if view.step not in {Step.DONE, Step.STOPPED}:
        assert not {control.action.kind for control in main} & {ActionKind.QUIT, ActionKind.STOP}


def test_a_gesture_goes_to_the_one_that_it_is_confused_with_most():
    pairs = {choice.gesture: choice.partner for choice in choices(VIEWS["result"])}
    assert "rest" not in pairs
    assert pairs["wrist_abduction"] == "wrist_adduction"
    assert pairs["wrist_adduction"] == "wrist_abduction"
    controls = controls_of(VIEWS["result"], Choice("wrist_abduction", "wrist_adduction"))
    merge = next(control for control in controls if control.action.kind is ActionKind.MERGE_GESTURES)
    assert (merge.action.gesture, merge.action.other) == ("wrist_adduction", "wrist_abduction")


def test_steps_go_forward_only():
    order = [Step.SIGNAL_CHECK, Step.CUE, Step.TRAINING, Step.RESULT, Step.TRY_OUT, Step.DONE]
    assert [stage_of(step) for step in order] == [0, 1, 2, 3, 4, 5]
    assert stage_of(Step.STOPPED) is None


def test_view_models_know_no_qt():
    code = (
        "import sys, ui.view_models.calibration_controls, ui.view_models.outline;"
        "sys.exit('PySide6' in sys.modules or 'pyqtgraph' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
