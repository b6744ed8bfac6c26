"""Decisions made live over real LSL are those of replay on the same samples, bit for bit."""

import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration.protocol import CueSchedule
from calibration.train import train_decoder
from calibration.train_settings import TrainSettings
from decoding.decoder_file import DecoderMismatchError, load_decoder
from decoding.live import LiveDecoderSettings, run_live_decoder
from decoding.pipeline import DecoderPipeline
from decoding.signal_settings import SignalSettings
from decoding.temporal import TemporalSettings
from emg_acquisition.events import DECODING, Event
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.recording.session import EmgRecording, GestureRecording, Session, load_session
from emg_acquisition.stream_info import GestureStreamInfo
from emg_acquisition.streams.inlet import GestureInlet
from emg_acquisition.streams.outlet import EmgOutlet, lsl_clock_s
from evaluation.replay import replay_session
from simulation.forearm.settings import WearerSettings
from simulation.recorded_wearer import record_schedule

TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    # Shorter than the 10 s that an inlet holds: it is sent in one burst, of which a busy machine must lose nothing.
    schedule = CueSchedule(gestures=("fist", "hand_open"), repetitions=2, hold_s=1.2, rest_s=1.0, seed=3)
    folder = tmp_path_factory.mktemp("wearer") / "ses-live"
    return load_session(record_schedule(WearerSettings(seed=3), schedule, folder, "SIM"))


@pytest.fixture(scope="module")
def decoder(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("decoder") / "decoder.onnx"
    # With the temporal model: one state more that a gap has to end.
    settings = TrainSettings(after_cue_s=0.5, before_next_s=0.0, temporal=TemporalSettings(mean_hold_s=0.5))
    return train_decoder([session], out, settings, lambda _step, _part: None).decoder


@pytest.fixture(scope="module")
def chosen_decoder(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Notch, Laplacian and saturation, which the default leaves out; 10 mV is reached now and then."""
    signal = SignalSettings(
        powerline_hz=50, powerline_harmonics=3, spatial="laplacian", saturation_uv=1e4, settle_ms=60.0
    )
    settings = TrainSettings(signal=signal, model="lda", after_cue_s=0.5, before_next_s=0.0)
    out = tmp_path_factory.mktemp("chosen") / "decoder.onnx"
    return train_decoder([session], out, settings, lambda _step, _part: None).decoder


@pytest.fixture
def live_decoder(
    session: Session, lsl_session: str, request: pytest.FixtureRequest
) -> Iterator[tuple[EmgOutlet, GestureInlet]]:
    """A live decoder bound to an outlet of its own, and an inlet on what it says."""
    token = uuid.uuid4().hex[:8]
    kind = getattr(request, "param", "decoder")
    decoder = request.getfixturevalue("chosen_decoder" if kind == "chosen_decoder" else "decoder")
    arrival_stamps = kind == "arrival stamps"
    info = replace(session.emg.info, source_id=f"emg-{token}", arrival_stamps=arrival_stamps)
    outlet = EmgOutlet(info, 100)
    stop = threading.Event()
    settings = LiveDecoderSettings(decoder, f"emg-{token}", f"decoder-{token}", TIMEOUT_S)
    thread = threading.Thread(target=run_live_decoder, args=(settings, stop))
    thread.start()
    inlet = GestureInlet(f"decoder-{token}", TIMEOUT_S)
    assert outlet.wait_for_consumers(TIMEOUT_S)
    yield outlet, inlet
    stop.set()
    thread.join(TIMEOUT_S)
    inlet.close()
    outlet.close()
    assert not thread.is_alive()


def push_all(outlet: EmgOutlet, emg_uv: np.ndarray, t_lsl_s: np.ndarray, sizes: Iterator[int]) -> None:
    start = 0
    while start < len(emg_uv):
        stop = min(start + next(sizes), len(emg_uv))
        outlet.push(emg_uv[start:stop], float(t_lsl_s[stop - 1]))
        start = stop


def received(inlet: GestureInlet, n: int) -> tuple[np.ndarray, np.ndarray]:
    samples = []
    deadline = lsl_clock_s() + TIMEOUT_S
    while len(samples) < n and lsl_clock_s() < deadline:
        samples += inlet.pull(0.2)
    values = [(s.gesture_index, s.confidence, s.effort, s.quality, *s.probabilities) for s in samples]
    return np.array(values, dtype=np.float32), np.array([s.t_lsl_s for s in samples])


@pytest.mark.parametrize(
    ("decodes", "live_decoder"),
    [("decoder", "decoder"), ("chosen_decoder", "chosen_decoder")],
    indirect=["live_decoder"],
)
def test_live_equals_replay_over_any_chunks(
    session: Session,
    decodes: str,
    live_decoder: tuple[EmgOutlet, GestureInlet],
    request: pytest.FixtureRequest,
) -> None:
    outlet, inlet = live_decoder
    expected = replay_session(session, load_decoder(request.getfixturevalue(decodes)))
    t_lsl_s = lsl_clock_s() + session.emg.t_lsl_s
    rng = np.random.default_rng(5)
    push_all(outlet, session.emg.emg_uv, t_lsl_s, iter(lambda: int(rng.integers(1, 400)), 0))
    values, stamps = received(inlet, len(expected.values))
    assert values.tobytes() == expected.values.tobytes()
    np.testing.assert_allclose(stamps, t_lsl_s[expected.sample_index], atol=1e-7)
    assert set(expected.gesture_index.tolist()) >= {0, 1, 2}
    assert (expected.values[:, 3].min() < 1.0) == (decodes == "chosen_decoder")


def test_a_gap_begins_anew(
    session: Session, decoder: Path, live_decoder: tuple[EmgOutlet, GestureInlet]
) -> None:
    outlet, inlet = live_decoder
    emg_uv, cut = session.emg.emg_uv[:8000], 3001
    t_lsl_s = lsl_clock_s() + np.arange(8000) / session.emg.info.fs_hz
    t_lsl_s[cut:] += 0.5
    for part in (slice(0, cut), slice(cut, 8000)):
        push_all(outlet, emg_uv[part], t_lsl_s[part], iter(lambda: 100, 0))
    pipeline = DecoderPipeline(load_decoder(decoder), session.emg.info)
    before = pipeline.process(emg_uv[:cut])
    pipeline.reset()
    after = pipeline.process(emg_uv[cut:])
    values, stamps = received(inlet, len(before) + len(after))
    assert values.tobytes() == np.array([d.to_values() for d in before + after]).tobytes()
    assert stamps[len(before)] == pytest.approx(t_lsl_s[cut + after[0].sample_index], abs=1e-7)


@pytest.mark.parametrize("live_decoder", ["arrival stamps"], indirect=True)
def test_stamps_given_on_arrival_are_smoothed_alike_live_and_in_replay(
    session: Session, decoder: Path, live_decoder: tuple[EmgOutlet, GestureInlet]
) -> None:
    outlet, inlet = live_decoder
    rng = np.random.default_rng(6)
    n, fs_hz = 9000, session.emg.info.fs_hz
    packet = np.arange(n) // 40
    late_s = rng.gamma(1.0, 0.004, n // 40 + 1)[packet]
    sent_s = lsl_clock_s() + np.arange(n) / fs_hz + late_s
    sent_s[6000:] += 7.0  # the sender's clock is set
    emg_uv = session.emg.emg_uv[:n]
    for start in range(0, n, 40):
        outlet._outlet.push_chunk(emg_uv[start : start + 40], sent_s[start : start + 40].tolist())
    # Recorded from before the decoder began, as a recorder does; one event says where that was.
    all_sent_s = np.r_[sent_s[:777] - 60.0, sent_s]
    recorded = EmgRecording(outlet.info, np.r_[emg_uv[:777], emg_uv], all_sent_s, all_sent_s)
    begun = tuple(Event(t, DECODING, {"since_t_lsl_s": t}) for t in (sent_s[0], sent_s[6000]))
    expected = replay_session(replace(session, emg=recorded, events=begun), load_decoder(decoder))
    values, stamps = received(inlet, len(expected.values))
    assert values.tobytes() == expected.values.tobytes()
    np.testing.assert_array_equal(stamps, expected.t_lsl_s)
    assert not np.isin(stamps, sent_s).all()
    gestures = GestureRecording(inlet.info, values, stamps)
    again = replay_session(
        replace(session, emg=recorded, events=begun, gestures=gestures), load_decoder(decoder)
    )
    assert again.identical_to_recording is True


@pytest.mark.parametrize(
    ("told_s", "damaged", "compared"),
    [
        (2.5, None, (True, 40)),  # the recording ends before the new decoder is heard
        (2.5, 30, (False, 40)),  # but what can be compared must be the same
        (3.9, None, (False, 0)),  # a decoder that goes on saying when it began was not started again
    ],
)
def test_a_decoder_that_is_started_again_just_before_the_end(
    session: Session, decoder: Path, told_s: float, damaged: int | None, compared: tuple[bool, int]
) -> None:
    emg = session.emg
    first, second = (DecoderPipeline(load_decoder(decoder), emg.info) for _ in range(2))
    fs_hz, begin, again = emg.info.fs_hz, 0, round(2.9 * emg.info.fs_hz)
    before = first.process(emg.emg_uv[begin : round(2.5 * fs_hz)])
    after = second.process(emg.emg_uv[again : round(4.2 * fs_hz)])[:40]
    values = np.array([decision.to_values() for decision in (*before, *after)], dtype=np.float32)
    if damaged is not None:
        values[damaged, 1] += 0.01
    samples = [d.sample_index for d in before] + [again + d.sample_index for d in after]
    info = GestureStreamInfo(
        "g", "d", load_decoder(decoder).metadata.hop_rate_hz, first.gestures, emg.info.source_id
    )
    events = tuple(
        Event(emg.t_lsl_s[0] + t, DECODING, {"since_t_lsl_s": emg.t_lsl_s[0]}) for t in (0.5, told_s)
    )
    recorded = replace(session, events=events, gestures=GestureRecording(info, values, emg.t_lsl_s[samples]))
    replay = replay_session(recorded, load_decoder(decoder))
    assert (replay.identical_to_recording, replay.not_compared) == compared


def test_another_grid_is_refused(session: Session, decoder: Path, lsl_session: str) -> None:
    token = uuid.uuid4().hex[:8]
    grid = rectangular_grid(8, 8, 10.0)
    outlet = EmgOutlet(replace(session.emg.info, source_id=f"emg-{token}", grid=grid), 100)
    settings = LiveDecoderSettings(decoder, f"emg-{token}", f"decoder-{token}", TIMEOUT_S)
    try:
        with pytest.raises(DecoderMismatchError, match="grid"):
            run_live_decoder(settings, threading.Event())
    finally:
        outlet.close()
