"""The simulated wearer as its users see it: amplitudes, gestures, effort, events, artefacts, and its price."""

import numpy as np
import pytest
from scipy import signal

from emg_acquisition.cue_schedule import ScheduledCue, calibration_schedule
from emg_acquisition.errors import InputError
from simulation.forearm.anatomy import MUSCLE_NAMES
from simulation.forearm.impairment import muscle_strength
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer

FS_HZ = 2000.0
BAND = signal.butter(4, (20.0, 400.0), "bandpass", fs=FS_HZ, output="sos")
TEN = [
    *("rest", "fist", "hand_open", "tripod_pinch", "wrist_flexion", "wrist_extension"),
    *("wrist_abduction", "wrist_adduction", "pronation", "supination"),
]


def band_passed(emg_uv):
    return signal.sosfiltfilt(BAND, emg_uv.astype(np.float64), axis=0)


def rms_map(wearer, gesture, effort=1.0, seconds=2.0):
    wearer.set_intention(gesture, effort)
    wearer.read(1000)
    emg_uv = band_passed(wearer.read(round(seconds * FS_HZ)))[200:-200]
    return np.sqrt((emg_uv**2).mean(axis=0))


@pytest.fixture(scope="module")
def maps():
    """RMS maps of two wearers who repeat exactly, two of each gesture: (wearers, 2, gestures, channels)."""
    found = []
    for seed in (1, 2):
        wearer = SimulatedWearer(WearerSettings(seed=seed, trial_variability=0.0))
        found.append(
            [[rms_map(wearer, gesture, seconds=1.2) for gesture in wearer.gestures] for _ in range(2)]
        )
    return np.array(found)


def test_amplitudes_are_those_of_a_forearm(maps):
    # As in recordings with 64 electrodes, 20 to 400 Hz: 3 to 5 µV at rest; 30 to 150 at a gesture's best electrode,
    # and electrodes far from its muscles see well above the noise and well below that.
    rest, active = maps[:, :, 0], maps[:, :, 1:]
    assert 1.5 < rest.min() < np.median(rest) < 6
    assert (active.max(axis=-1) > 12).all()
    assert 30 < np.median(active.max(axis=-1)) < 150
    assert active.max() < 300
    assert 4 < np.median(active.min(axis=-1)) < 30


def test_gestures_differ_in_space_and_repeat(maps):
    for wearer in maps:
        unit = wearer[:, 1:] / np.linalg.norm(wearer[:, 1:], axis=2, keepdims=True)
        likeness = unit[0] @ unit[1].T
        assert list(likeness.argmax(axis=1)) == list(range(9))
        assert np.diag(likeness).min() > 0.97
        off = likeness[~np.eye(9, dtype=bool)]
        assert off.max() < 0.985
        assert np.median(off) < 0.9


def test_activity_fades_smoothly_round_the_limb_and_across_the_seam(maps):
    rings = maps[:, :, 1:].reshape(-1, 16, 4)
    steps = np.abs(np.diff(np.concatenate((rings, rings[:, :1]), axis=1), axis=1)).mean(axis=(0, 2))
    assert steps[-1] < 2.0 * np.median(steps)


@pytest.mark.parametrize("gesture", ["fist", "wrist_extension"])
def test_more_effort_is_more_activity_and_rest_ends_it(gesture):
    wearer = SimulatedWearer(WearerSettings(trial_variability=0.0))
    levels = [rms_map(wearer, gesture, effort).mean() for effort in (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)]
    assert (np.diff(levels) > 0).all()
    assert levels[-1] > 3 * levels[2]
    assert rms_map(wearer, "rest").mean() < 1.3 * levels[0]


def test_trials_differ_as_people_do():
    # Log-RMS of active electrodes from trial to trial: 0.11 to 0.21 in recordings of two trained persons.
    wearer = SimulatedWearer(WearerSettings(seed=2))
    levels = []
    for _ in range(10):
        levels.append(np.log(rms_map(wearer, "fist", seconds=1.0)))
        wearer.set_intention("rest")
        wearer.read(600)
    top = np.argsort(np.mean(levels, axis=0))[-16:]
    assert 0.08 < np.std(levels, axis=0)[top].mean() < 0.4


def test_a_contraction_takes_100_to_300_ms_to_build_up():
    rises = []
    for seed in (1, 2, 3):
        wearer = SimulatedWearer(WearerSettings(seed=seed, trial_variability=0.0, units_per_muscle=8))
        wearer.read(2000)
        wearer.set_intention("fist")
        power = (band_passed(wearer.read(4000)) ** 2).mean(axis=1)
        rises.append(np.sqrt(signal.convolve(power, np.ones(80) / 80, "same")))
    envelope = np.mean(rises, axis=0)
    level = envelope[1500:3500].mean()
    assert envelope[:40].mean() < 0.3 * level
    assert 0.04 < np.argmax(envelope > 0.5 * level) / FS_HZ < 0.22
    assert envelope[700:1200].mean() > 0.8 * level


def test_there_is_powerline_and_an_offset_in_every_channel():
    emg_uv = (
        SimulatedWearer(WearerSettings(powerline_hz=50.0, units_per_muscle=2)).read(20_000).astype(np.float64)
    )
    offset = emg_uv.mean(axis=0)
    assert np.abs(offset).max() > 1000
    amplitude = 2 * np.abs(np.fft.rfft(emg_uv - offset, axis=0)) / len(emg_uv)
    hertz = np.fft.rfftfreq(len(emg_uv), 1 / FS_HZ)
    at_50 = amplitude[hertz == 50.0][0]
    assert 0.1 < at_50.min() < at_50.max() < 6.0
    assert np.median(at_50) > 5 * np.median(amplitude[(hertz > 51) & (hertz < 59)])


def test_most_power_of_a_contraction_lies_between_20_and_300_hz_and_falls_beyond():
    wearer = SimulatedWearer(WearerSettings(trial_variability=0.0))
    wearer.set_intention("fist", 1.5)
    wearer.read(1000)
    emg_uv = wearer.read(12_000).astype(np.float64)
    strongest = np.argsort(np.std(np.diff(emg_uv, axis=0), axis=0))[-8:]
    hertz, density = signal.welch(emg_uv[:, strongest], FS_HZ, nperseg=1000, axis=0)
    density = density.mean(axis=1)
    assert density[(hertz >= 20) & (hertz <= 300)].sum() / density[hertz >= 20].sum() > 0.9
    assert density[(hertz > 400) & (hertz < 500)].mean() < 0.02 * density[(hertz > 60) & (hertz < 120)].mean()


def test_tiredness_compresses_the_spectrum():
    medians = []
    for fatigue in (0.0, 0.5, 1.0):
        wearer = SimulatedWearer(WearerSettings(trial_variability=0.0, fatigue=fatigue))
        wearer.set_intention("wrist_extension", 1.5)
        wearer.read(1000)
        hertz, density = signal.welch(band_passed(wearer.read(12_000)), FS_HZ, nperseg=2000, axis=0)
        power = np.cumsum(density.sum(axis=1))
        medians.append(np.interp(0.5 * power[-1], power, hertz))
    # Velocity falls to 0.875 and 0.75 of the fresh one; noise and powerline do not follow.
    assert medians[1] / medians[0] == pytest.approx(0.875, abs=0.05)
    assert medians[2] / medians[0] == pytest.approx(0.75, abs=0.06)


def test_a_schedule_gives_cues_trials_and_an_end():
    schedule = (ScheduledCue("rest", 0.5, 1), ScheduledCue("fist", 1.0, 1), ScheduledCue("rest", 0.25, 1))
    wearer = SimulatedWearer(WearerSettings(), schedule)
    emg_uv = wearer.read(10**6)
    assert emg_uv.shape == (3500, 64)
    assert emg_uv.dtype == np.float32
    assert wearer.read(10).shape == (0, 64)
    events = [(event.sample_index, event.kind, dict(event.fields)) for event in wearer.events_until(10**6)]
    assert events == [
        (0, "cue", {"gesture": "rest", "repetition": 1, "trial": 1}),
        (1000, "cue", {"gesture": "fist", "repetition": 1, "trial": 2}),
        (3000, "cue", {"gesture": "rest", "repetition": 1, "trial": 3}),
    ]
    # The muscle follows the cue after a reaction time of 150 to 350 ms and a ramp.
    power = np.sqrt((band_passed(emg_uv) ** 2).mean(axis=1))
    assert power[1000:1250].mean() < 8
    assert power[2300:3000].mean() > 12


def test_a_live_intention_is_reported_where_it_begins():
    wearer = SimulatedWearer(WearerSettings())
    wearer.read(105)
    wearer.set_intention("fist", 0.7)
    wearer.read(5)
    assert wearer.events_until(110) == []
    wearer.read(90)
    (event,) = wearer.events_until(200)
    assert (event.sample_index, event.kind, dict(event.fields)) == (
        120,
        "intention",
        {"gesture": "fist", "effort": 0.7},
    )


def test_electrodes_that_have_lost_the_skin_see_the_powerline_and_no_muscle():
    wearer = SimulatedWearer(WearerSettings(detached=(5, 40), trial_variability=0.0))
    wearer.set_intention("fist")
    emg_uv = wearer.read(8000)[2000:].astype(np.float64)
    hertz, density = signal.welch(emg_uv, FS_HZ, nperseg=2000, axis=0)
    hum = density[hertz == 60.0][0]
    others = np.delete(np.arange(64), [5, 40])
    assert hum[[5, 40]].min() > 5 * hum[others].max()
    correlation = np.corrcoef(np.diff(emg_uv, axis=0).T)
    assert np.abs(correlation[5, [4, 6]]).max() < 0.1
    assert np.median(correlation[others[:-1], others[1:]]) > 0.3


def test_the_amplifier_has_steps():
    emg_uv = SimulatedWearer(WearerSettings(units_per_muscle=2)).read(2000).astype(np.float64)
    steps = emg_uv / 0.25
    assert np.array_equal(steps, np.rint(steps))
    assert np.abs(emg_uv).max() <= 50_000.0


def test_an_injury_takes_the_muscles_below_its_level():
    strength = {
        level: dict(zip(MUSCLE_NAMES, muscle_strength(level), strict=True))
        for level in ("c5", "c6", "c7", "c8")
    }
    for higher, lower in (("c5", "c6"), ("c6", "c7"), ("c7", "c8")):
        assert all(strength[higher][muscle] <= strength[lower][muscle] for muscle in MUSCLE_NAMES)
    # A person with a C6 injury extends the wrist and cannot close the hand.
    c6 = strength["c6"]
    assert c6["supinator"] == 1.0
    assert c6["extensor_carpi_radialis_longus"] > 0.6
    assert c6["flexor_digitorum_profundus_2_3"] < 0.1
    peaks = {}
    for impairment in ("none", "c6"):
        wearer = SimulatedWearer(WearerSettings(impairment=impairment, trial_variability=0.0))
        peaks[impairment] = {g: rms_map(wearer, g).max() for g in ("fist", "hand_open", "wrist_abduction")}
    assert peaks["c6"]["hand_open"] < 0.7 * peaks["none"]["hand_open"]
    assert peaks["c6"]["wrist_abduction"] > 0.5 * peaks["none"]["wrist_abduction"]


def test_other_gestures_come_from_yaml(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(
        "name: two\ngestures:\n  grip: {flexor_digitorum_profundus_2_3: 1.0}\n  lift: {anconeus: 0.5}\n"
    )
    assert SimulatedWearer(WearerSettings(gestures=path, units_per_muscle=2)).gestures == (
        "rest",
        "grip",
        "lift",
    )
    assert list(SimulatedWearer(WearerSettings(units_per_muscle=2)).gestures) == TEN
    for text, message in (
        ("name: x\ngestures: {grip: {biceps: 1.0}}", "two.yaml: gestures: grip: there is no muscle 'biceps'"),
        ("name: x\ngestures: {grip: {anconeus: 1.5}}", "gestures.grip.anconeus: Input should be less than"),
        ("name: x\ngestures: {grip: {}}", "grip: a gesture needs a muscle"),
        ("name: x\ngestures: {}", "two.yaml: gestures"),
    ):
        path.write_text(text + "\n")
        with pytest.raises(InputError, match=message):
            SimulatedWearer(WearerSettings(gestures=path, units_per_muscle=3))


def test_what_the_wearer_cannot_do_is_refused():
    with pytest.raises(InputError, match="knows no gesture 'thumbs_up'; it knows rest, fist"):
        SimulatedWearer(WearerSettings()).set_intention("thumbs_up")
    with pytest.raises(InputError, match="knows no gesture 'wave'"):
        SimulatedWearer(WearerSettings(), [ScheduledCue("wave", 1.0, 1)])
    with pytest.raises(InputError, match="between 0 and 2"):
        SimulatedWearer(WearerSettings()).set_intention("fist", float("nan"))
    with pytest.raises(InputError, match="longer than zero"):
        ScheduledCue("fist", 0.0, 1)
    with pytest.raises(InputError, match="needs gestures"):
        calibration_schedule(("rest",), 3, 1.0, 1.0)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("fs_hz", 100.0, "at least 500 and at most 50000, got 100"),
        ("fatigue", 1.5, "fatigue must lie between 0 and 1, got 1.5"),
        ("donning", -1, "must not be negative"),
        ("impairment", "c4", "impairment must be one of none, c5, c6, c7, c8, got c4"),
        ("montage", "bipolar", "one of monopolar, differential, got bipolar"),
        ("detached", (64,), r"0 to 63, got \[64\]"),
        ("units_per_muscle", 1, "2 or more"),
        ("trial_variability", float("nan"), "must not be negative"),
        ("powerline_hz", 55.0, "one of 50, 60, got 55"),
        ("fs_hz", float("inf"), "at least 500"),
    ],
)
def test_a_setting_out_of_range_is_refused(setting, value, message):
    with pytest.raises(InputError, match=message):
        WearerSettings(**{setting: value})


def test_a_calibration_holds_every_gesture_once_a_repetition_with_rest_between():
    cues = calibration_schedule(("rest", "fist", "hand_open", "pronation"), 4, 2.0, 1.0, seed=3)
    assert [cue.gesture for cue in cues[::2]] == ["rest"] * 13
    orders = [tuple(cue.gesture for cue in cues[1::2][3 * r : 3 * r + 3]) for r in range(4)]
    assert all(sorted(order) == ["fist", "hand_open", "pronation"] for order in orders)
    assert len(set(orders)) > 1
    assert [cue.repetition for cue in cues[1::2]] == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
    assert cues == calibration_schedule(("fist", "hand_open", "pronation"), 4, 2.0, 1.0, seed=3)
