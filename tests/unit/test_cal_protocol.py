import pytest

from calibration.protocol import KNOWN_GESTURES, CueSchedule, bundled_protocols, load_protocol
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
    assert load_protocol(str(path)) == CueSchedule(gestures=("fist", "hand_open"), repetitions=3, hold_s=2.5)


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
        load_protocol(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_protocol_is_named_with_those_there_are(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.yaml.*neither a YAML file nor one of .*five_minutes"):
        load_protocol(str(tmp_path / "nowhere.yaml"))


@pytest.mark.parametrize("name", bundled_protocols())
def test_the_bundled_protocols_ask_for_the_nine_gestures_in_drawn_blocks(name):
    protocol = load_protocol(name)
    assert sorted(protocol.gestures) == sorted(KNOWN_GESTURES)
    trials = protocol.trials()
    per_block = len(KNOWN_GESTURES) * max(1, len(protocol.levels))
    assert len(trials) == protocol.repetitions * per_block
    for block in range(protocol.repetitions):
        asked = trials[block * per_block : (block + 1) * per_block]
        assert {one.gesture for one in asked} == set(KNOWN_GESTURES)
        assert {one.repetition for one in asked} == {block + 1}


def test_the_default_leaves_a_minute_of_five_for_checking_training_and_trying():
    protocol = load_protocol("five_minutes")
    assert protocol.seconds == pytest.approx(45 * (1.3 + 0.8 + 1.0 + 2.0) + 1.3 + 0.8)
    assert protocol.seconds + 60 < 5 * 60


def test_the_reference_protocol_is_the_published_one():
    protocol = load_protocol("reference")
    assert 8 <= protocol.repetitions <= 10
    assert protocol.hold_s == 2.0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("gestures: [fist, fits]\n", "gestures: fits unknown; known are fist, .*own_gestures"),
        ("gestures: [fist]\nrest_s: 0\n", "rest_s: .*greater than 0"),
        ("gestures: [fist]\nrest_s: 0.5\n", "rest_s: at least 1 s of rest"),
        ("gestures: [fist]\nlevels: [strong]\n", "comfortable"),
    ],
)
def test_a_protocol_that_cannot_be_followed_says_what_to_do(tmp_path, text, named):
    path = tmp_path / "protocol.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=named):
        load_protocol(str(path))


def test_a_gesture_of_ones_own_is_named_as_such(tmp_path):
    path = tmp_path / "protocol.yaml"
    path.write_text("gestures: [fist, thumb_up]\nown_gestures: [thumb_up]\n", encoding="utf-8")
    assert load_protocol(str(path)).gestures == ("fist", "thumb_up")
