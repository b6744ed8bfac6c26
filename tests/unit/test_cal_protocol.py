import pytest

from calibration.protocol import CueSchedule, load_cue_schedule
from emg_acquisition.errors import InputError

GESTURES = ("fist", "hand_open", "pronation")


def test_every_gesture_once_a_repetition_with_rest_between():
    cues = CueSchedule(gestures=GESTURES, repetitions=4, hold_s=3.0, rest_s=2.0).cues()
    assert [cue.gesture for cue in cues[::2]] == ["rest"] * 13
    for repetition in range(1, 5):
        asked = [cue for cue in cues if cue.repetition == repetition and cue.gesture != "rest"]
        assert sorted(cue.gesture for cue in asked) == sorted(GESTURES)
        assert {cue.seconds for cue in asked} == {3.0}


def test_the_order_is_drawn_by_the_seed():
    orders = {CueSchedule(gestures=GESTURES, seed=seed).cues() for seed in range(8)}
    assert len(orders) > 1
    assert CueSchedule(gestures=GESTURES, seed=3).cues() == CueSchedule(gestures=GESTURES, seed=3).cues()


def test_a_schedule_says_how_long_it_takes():
    assert CueSchedule(gestures=GESTURES, repetitions=2, hold_s=3.0, rest_s=2.0).seconds == 6 * 3.0 + 7 * 2.0


def test_a_schedule_is_read_from_yaml(tmp_path):
    path = tmp_path / "schedule.yaml"
    path.write_text("gestures: [fist, hand_open]\nrepetitions: 3\nhold_s: 2.5\n", encoding="utf-8")
    assert load_cue_schedule(path) == CueSchedule(gestures=("fist", "hand_open"), repetitions=3, hold_s=2.5)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("gestures: [fist]\nrepeats: 3\n", "repeats: Extra inputs"),
        ("gestures: [fist, rest]\n", "gestures: .*leave out 'rest'"),
        ("gestures: [fist, fist]\n", "gestures: .*each gesture once"),
        ("gestures: []\n", "gestures: "),
        ("gestures: [fist]\nrepetitions: 1\n", "repetitions: "),
        ("gestures: [fist]\nhold_s: -1\n", "hold_s: "),
        ("- fist\n", "file: "),
        ("gestures: [fist\n", "no YAML"),
        ("", "file: "),
    ],
)
def test_a_wrong_schedule_names_file_and_key(tmp_path, text, named):
    path = tmp_path / "schedule.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=named) as caught:
        load_cue_schedule(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_schedule_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.yaml: cannot be read"):
        load_cue_schedule(tmp_path / "nowhere.yaml")
