import time

import numpy as np
import pytest
from scipy import signal

from emg_acquisition.errors import InputError
from emg_acquisition.sources.schedule import Cue, calibration_schedule
from emg_acquisition.sources.simulated_forearm.settings import WearerSettings
from emg_acquisition.sources.simulated_forearm.wearer import SimulatedWearer

FS_HZ = 2000.0
BAND = signal.butter(4, (20.0, 400.0), "bandpass", fs=FS_HZ, output="sos")


def band_passed(emg_uv):
    return signal.sosfiltfilt(BAND, emg_uv.astype(np.float64), axis=0)


def rms_map(wearer, gesture, effort=1.0):
    wearer.set_intention(gesture, effort)
    emg_uv = band_passed(wearer.read(8000))[2000:7000]
    return np.sqrt((emg_uv**2).mean(axis=0))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_amplitudes_are_those_of_a_forearm(seed):
    wearer = SimulatedWearer(WearerSettings(seed=seed))
    rest = rms_map(wearer, "rest")
    assert rest.min() > 2.7
    assert rest.max() < 5.3
    for gesture in wearer.gestures[1:]:
        active = rms_map(wearer, gesture)
        assert 45 < active.max() < 190, gesture
        assert active.min() < 15, gesture


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_gestures_differ_in_space_and_repeat(seed):
    wearer = SimulatedWearer(WearerSettings(seed=seed))
    gestures = wearer.gestures[1:]
    first, again = (np.array([rms_map(wearer, gesture) for gesture in gestures]) for _ in range(2))
    unit = [maps / np.linalg.norm(maps, axis=1, keepdims=True) for maps in (first, again)]
    likeness = unit[0] @ unit[1].T
    assert list(likeness.argmax(axis=1)) == list(range(9))
    assert np.diag(likeness).min() > 0.985
    off = likeness[~np.eye(9, dtype=bool)]
    assert off.max() < 0.98
    assert np.median(off) < 0.75


def test_activity_fades_smoothly_round_the_limb_and_across_the_seam():
    # A ring without a seam: neighbours over the seam are as alike as any other neighbours.
    wearer = SimulatedWearer(WearerSettings(seed=7))
    maps = np.stack([rms_map(wearer, gesture) for gesture in wearer.gestures[1:]])
    rings = maps.reshape(9, 16, 4)
    steps = np.abs(np.diff(np.concatenate((rings, rings[:, :1]), axis=1), axis=1)).mean(axis=(0, 2))
    assert steps[-1] < 2.5 * np.median(steps)


def test_stronger_effort_is_stronger_and_rest_ends_it():
    wearer = SimulatedWearer(WearerSettings(effort_variability=0.0))
    full, half, rest = (
        rms_map(wearer, gesture, effort).max()
        for gesture, effort in (("fist", 1), ("fist", 0.5), ("rest", 1))
    )
    assert half / full == pytest.approx(0.5, abs=0.06)
    assert rest < 5.3


def test_trials_differ_in_effort_as_much_as_declared():
    wearer = SimulatedWearer(WearerSettings(effort_variability=0.2))
    peaks = []
    for _ in range(12):
        peaks.append(rms_map(wearer, "fist").max())
        wearer.set_intention("rest")
        wearer.read(2000)
    assert 0.1 < np.std(np.log(peaks)) < 0.4


def test_a_contraction_takes_150_to_200_ms_to_build_up():
    rises_s = []
    for seed in range(8):
        wearer = SimulatedWearer(WearerSettings(seed=seed, effort_variability=0.0))
        wearer.read(4000)
        wearer.set_intention("fist")
        power = (band_passed(wearer.read(8000)) ** 2).mean(axis=1)
        rises_s.append(np.sqrt(signal.convolve(power, np.ones(40) / 40, "same")))
    envelope = np.mean(rises_s, axis=0)
    level = envelope[2000:7000].mean()
    assert envelope[:20].mean() < 0.25 * level
    # Half of a raised cosine lies at half of its length, 75 to 100 ms.
    assert 0.05 < np.argmax(envelope > 0.5 * level) / FS_HZ < 0.12
    assert envelope[int(0.2 * FS_HZ) : int(0.35 * FS_HZ)].mean() > 0.85 * level


def test_there_is_powerline_and_an_offset_in_every_channel():
    emg_uv = SimulatedWearer(WearerSettings(powerline_hz=50.0)).read(20_000).astype(np.float64)
    offset = emg_uv.mean(axis=0)
    assert np.abs(offset).max() > 1000
    amplitude = 2 * np.abs(np.fft.rfft(emg_uv - offset, axis=0)) / len(emg_uv)
    hertz = np.fft.rfftfreq(len(emg_uv), 1 / FS_HZ)
    at_50 = amplitude[hertz == 50.0][0]
    assert 0.3 < at_50.min() < at_50.max() < 4.0
    assert np.median(at_50) > 5 * np.median(amplitude[(hertz > 51) & (hertz < 59)])


def test_most_power_of_a_contraction_lies_between_40_and_300_hz():
    wearer = SimulatedWearer(WearerSettings())
    wearer.set_intention("fist")
    emg_uv = wearer.read(24_000)[4000:]
    hertz, density = signal.welch(emg_uv[:, rms_map(wearer, "fist").argmax()], FS_HZ, nperseg=2000)
    share = density[(hertz >= 40) & (hertz <= 300)].sum() / density[hertz >= 10].sum()
    assert share > 0.75


def test_a_schedule_gives_cues_trials_and_an_end():
    schedule = (Cue("rest", 0.5, 1), Cue("fist", 1.0, 1), Cue("rest", 0.25, 1))
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
    assert power[1000:1250].mean() < 6
    assert power[2200:3000].mean() > 20


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


def test_it_runs_at_least_ten_times_faster_than_real_time():
    wearer = SimulatedWearer(WearerSettings())
    wearer.set_intention("fist")
    started_s = time.process_time()
    wearer.read(20_000)
    assert time.process_time() - started_s < 1.0


def test_what_the_wearer_cannot_do_is_refused():
    with pytest.raises(InputError, match="knows no gesture 'thumbs_up'; it knows rest, fist"):
        SimulatedWearer(WearerSettings()).set_intention("thumbs_up")
    with pytest.raises(InputError, match="knows no gesture 'wave'"):
        SimulatedWearer(WearerSettings(), [Cue("wave", 1.0, 1)])
    with pytest.raises(InputError, match="between 0 and 2"):
        SimulatedWearer(WearerSettings()).set_intention("fist", float("nan"))
    with pytest.raises(InputError, match="at least 500"):
        WearerSettings(fs_hz=100.0)
    with pytest.raises(InputError, match="longer than zero"):
        Cue("fist", 0.0, 1)
    with pytest.raises(InputError, match="needs gestures"):
        calibration_schedule(("rest",), 3, 1.0, 1.0)


def test_a_calibration_holds_every_gesture_once_a_repetition_with_rest_between():
    cues = calibration_schedule(("rest", "fist", "hand_open", "pronation"), 4, 2.0, 1.0, seed=3)
    assert [cue.gesture for cue in cues[::2]] == ["rest"] * 13
    orders = [tuple(cue.gesture for cue in cues[1::2][3 * r : 3 * r + 3]) for r in range(4)]
    assert all(sorted(order) == ["fist", "hand_open", "pronation"] for order in orders)
    assert len(set(orders)) > 1
    assert [cue.repetition for cue in cues[1::2]] == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
    assert cues == calibration_schedule(("fist", "hand_open", "pronation"), 4, 2.0, 1.0, seed=3)
