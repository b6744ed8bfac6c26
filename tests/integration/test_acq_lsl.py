"""LSL as it is: what is sent arrives to the bit, what is missing or lost is said."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from emg_acquisition.cue_schedule import ScheduledCue
from emg_acquisition.errors import InputError, SearchStoppedError, StreamLostError, StreamNotFoundError
from emg_acquisition.events import Event
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid
from emg_acquisition.recording.recorder import RecorderSettings, run_recorder
from emg_acquisition.recording.session import load_session, trials
from emg_acquisition.stream_info import EmgStreamInfo, GestureStreamInfo, events_source_id
from emg_acquisition.streams.inlet import EmgInlet, EventInlet, GestureInlet
from emg_acquisition.streams.lsl_config import configure_lsl
from emg_acquisition.streams.lsl_stream import LslStream, Search, find_stream, list_streams
from emg_acquisition.streams.outlet import EmgOutlet, EventOutlet, GestureOutlet, lsl_clock_s
from emg_acquisition.streams.publisher import run_source
from simulation.forearm.live_intention import follow_intentions
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer
from tests.waiting import PATIENCE_S, hang, wait_for

pytestmark = pytest.mark.usefixtures("lsl_session")

REPOSITORY = Path(__file__).resolve().parents[2]
FS_HZ = 1000.0
SMALL_GRID = rectangular_grid(4, 2, 60.0, "rows")
GRID = ElectrodeGrid("corner", ((-1, 2), (0, 3), (1, 4)), 8.0, "rows")


def emg_info(source_id, **changes):
    fields = {"name": f"Sleeve {source_id}", "source_id": source_id, "fs_hz": FS_HZ, "grid": GRID}
    return EmgStreamInfo(**{**fields, "channel_labels": tuple("abcde"), "reference": "wrist", **changes})


def pull_samples(inlet, n_samples):
    chunks = []
    wait_for(lambda: chunks.extend(inlet.pull(0.1)) or sum(chunk.n_samples for chunk in chunks) >= n_samples)
    return chunks


@pytest.fixture
def closing():
    opened = []
    yield lambda thing: opened.append(thing) or thing
    for thing in reversed(opened):
        thing.close()


@pytest.fixture
def in_thread():
    """Run functions in threads; each gets its own stop event, set at the end at the latest."""
    running = []

    def start(function, *args, **kwargs):
        stop, result = threading.Event(), []
        thread = threading.Thread(
            target=lambda: result.append(function(*args, stop=stop, **kwargs)), daemon=True
        )
        thread.start()
        running.append((stop, thread))
        return stop, thread, result

    yield start
    for stop, thread in running:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_samples_stamps_and_declaration_arrive_to_the_bit_and_a_gap_is_told(closing):
    info = emg_info("bits", playback_speed=1.0, filters="HP < 10 Hz & more")
    outlet = closing(EmgOutlet(info, 20))
    inlet = closing(EmgInlet("bits", 5.0))
    assert inlet.info == info
    wait_for(outlet.have_consumers)
    rng = np.random.default_rng(1)
    emg_uv = rng.normal(0, 1e4, (1000, 5)).astype(np.float32)
    emg_uv[3, 1] = np.nan
    t_s = lsl_clock_s() + np.arange(1000) / FS_HZ
    for start in range(0, 1000, 20):
        if start != 400:  # 20 samples are lost on the way
            outlet.push(emg_uv[start : start + 20], t_s[start + 19])
    chunks = pull_samples(inlet, 980)
    kept = np.r_[0:400, 420:1000]
    received = np.concatenate([chunk.emg_uv for chunk in chunks])
    np.testing.assert_array_equal(received.view(np.uint32), emg_uv[kept].view(np.uint32))
    stamps = np.concatenate([chunk.t_lsl_s for chunk in chunks])
    np.testing.assert_allclose(stamps, t_s[kept], rtol=0, atol=1e-9)
    (gap,) = [chunk for chunk in chunks if chunk.gap_before_s > 0]
    assert gap.gap_before_s == pytest.approx(0.020, abs=1e-6)
    np.testing.assert_array_equal(gap.emg_uv[0], emg_uv[420])
    assert inlet.gaps == 1


def test_repeated_time_is_reported_and_not_accepted_silently(closing):
    outlet = closing(EmgOutlet(emg_info("again"), 10))
    inlet = closing(EmgInlet("again", 5.0))
    wait_for(outlet.have_consumers)
    block = np.zeros((10, 5), dtype=np.float32)
    now_s = lsl_clock_s()
    outlet.push(block, now_s)
    outlet.push(block, now_s)
    chunks = pull_samples(inlet, 20)
    assert sum(chunk.gap_before_s > 0 for chunk in chunks) == 1


def test_silence_is_an_empty_list_and_grows_old(closing):
    outlet = closing(EmgOutlet(emg_info("silent"), 10))
    inlet = closing(EmgInlet("silent", 5.0))
    wait_for(outlet.have_consumers)
    assert inlet.pull(0.05) == []
    wait_for(lambda: inlet.seconds_since_data > 0.1)
    outlet.push(np.zeros((1, 5), dtype=np.float32), lsl_clock_s())
    pull_samples(inlet, 1)
    assert inlet.seconds_since_data < 0.1


def test_a_stream_that_is_not_there_is_one_line_that_lists_what_is(closing):
    with pytest.raises(StreamNotFoundError, match=r"no LSL stream of type EMG found within 0\.2 s") as caught:
        EmgInlet(None, 0.2)
    assert "no stream at all" in str(caught.value)
    closing(EmgOutlet(emg_info("other"), 10))
    closing(EventOutlet("Cues", "cues-1"))
    with pytest.raises(StreamNotFoundError) as caught:
        EmgInlet("wanted", 0.2)
    said = str(caught.value)
    assert "\n" not in said
    assert "'wanted'" in said
    assert "Cues (type Markers, source_id cues-1)" in said
    assert "Sleeve other (type EMG, source_id other)" in said
    with pytest.raises(StreamNotFoundError, match="type Gesture"):
        GestureInlet("other", 0.2)


def test_one_stream_needs_no_choice_and_two_do(closing):
    closing(EmgOutlet(emg_info("left"), 10))
    assert closing(EmgInlet(None, 5.0)).info.source_id == "left"
    closing(EmgOutlet(emg_info("right"), 10))
    with pytest.raises(
        StreamNotFoundError, match=r"2 LSL streams of type EMG are there.*choose one"
    ) as caught:
        EmgInlet(None, 5.0)
    assert "left" in str(caught.value)
    assert "right" in str(caught.value)
    assert closing(EmgInlet("right", 5.0)).info.source_id == "right"


def test_two_streams_with_one_source_id_are_refused(closing):
    closing(GestureOutlet(GestureStreamInfo("A", "twin", 20.0, ("rest",), "e")))
    closing(GestureOutlet(GestureStreamInfo("B", "twin", 20.0, ("rest",), "e")))
    with pytest.raises(
        StreamNotFoundError, match=r"2 LSL streams of type Gesture with source_id 'twin'.*stop all but one"
    ):
        GestureInlet("twin", 5.0)


def test_streams_are_listed_with_what_they_are(closing, lsl_session):
    closing(EmgOutlet(emg_info("listed"), 10))
    closing(EventOutlet("Cues", "listed-events"))
    emg, events = list_streams(1.0)
    assert (emg.name, emg.type, emg.source_id, emg.channels, emg.fs_hz) == (
        "Sleeve listed",
        "EMG",
        "listed",
        5,
        FS_HZ,
    )
    assert (events.name, events.type, events.fs_hz) == ("Cues", "Markers", 0.0)
    assert emg.session_id == lsl_session


def test_decisions_arrive_to_the_bit_and_a_broken_one_is_none(closing):
    info = GestureStreamInfo("Decoder", "dec-bits", 20.0, ("rest", "fist"), "bits", "ab" * 32)
    outlet = closing(GestureOutlet(info))
    inlet = closing(GestureInlet("dec-bits", 5.0))
    assert inlet.info == info
    assert inlet.pull(0.0) == []
    wait_for(outlet.have_consumers)
    rows = np.array(
        [[1, 0.9, 0.5, 1, 0.1, 0.9], [-1, 0.3, 0, 0.25, 0.6, 0.4], [0, 1, 0, 1, 1, 0]], dtype=np.float32
    )
    stamps = lsl_clock_s() + np.array([0.0, 0.05, 0.1])
    for row, t in zip(rows, stamps, strict=True):
        outlet.push(row, t)
    samples = []
    wait_for(lambda: samples.extend(inlet.pull(0.1)) or len(samples) == 3)
    assert [sample.gesture_index for sample in samples] == [1, -1, 0]
    assert [sample.t_lsl_s for sample in samples] == stamps.tolist()
    found = np.array(
        [[s.confidence, s.effort, s.quality, *s.probabilities] for s in samples], dtype=np.float32
    )
    np.testing.assert_array_equal(found, rows[:, 1:])
    outlet.push(np.array([np.nan, 0, 0, 0, 0, 0], dtype=np.float32), stamps[2] + 0.1)
    wait_for(lambda: samples.extend(inlet.pull(0.1)) or len(samples) == 4)
    assert samples[-1].gesture_index == -1


def test_events_arrive_with_their_times_and_foreign_text_is_left_out(closing, caplog):
    outlet = closing(EventOutlet("Cues", "ev-1"))
    inlet = closing(EventInlet("ev-1", 5.0))
    wait_for(outlet.have_consumers)
    sent = [
        Event(lsl_clock_s(), "cue", {"gesture": "öffnen", "trial": 3}),
        Event(lsl_clock_s() + 1, "stop", {}),
    ]
    outlet.push(sent[0])
    outlet._outlet.push_sample(["hello"], lsl_clock_s())
    outlet.push(sent[1])
    received = []
    wait_for(lambda: received.extend(inlet.pull(0.1)) or len(received) == 2)
    assert received == sent
    assert "'hello' is no event" in caplog.text


def test_wrong_shapes_are_refused_before_they_are_sent(closing):
    emg = closing(EmgOutlet(emg_info("shape"), 10))
    with pytest.raises(ValueError, match=r"shape \(3, 4\), \(n_samples, 5\) is required"):
        emg.push(np.zeros((3, 4), dtype=np.float32), 1.0)
    gesture = closing(GestureOutlet(GestureStreamInfo("D", "shape-d", 20.0, ("rest",), "e")))
    with pytest.raises(ValueError, match=r"\(n_samples, 5\) is required"):
        gesture.push(np.zeros(6, dtype=np.float32), 1.0)
    with pytest.raises(InputError, match="needs a source_id"):
        EventOutlet("Cues", "")


def test_another_session_in_this_process_is_refused(lsl_session):
    configure_lsl(lsl_session)
    with pytest.raises(InputError, match="already in use in this process"):
        configure_lsl("another")
    with pytest.raises(InputError, match="1 to 64 letters"):
        configure_lsl("a]\n[lab]")


CHILD_OUTLET = """
import sys, time, numpy as np
from emg_acquisition.streams.lsl_config import configure_lsl
from emg_acquisition.streams.lsl_stream import list_streams
configure_lsl(sys.argv[1])
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.streams.outlet import EmgOutlet, lsl_clock_s
from emg_acquisition.stream_info import EmgStreamInfo
info = EmgStreamInfo("Child", sys.argv[2], 1000.0, rectangular_grid(1, 2, 1.0), ("a", "b"))
outlet = EmgOutlet(info, 10)
print("there", flush=True)
while True:
    outlet.push(np.zeros((10, 2), dtype=np.float32), lsl_clock_s())
    time.sleep(0.01)
"""


@pytest.fixture
def child():
    running = []

    def start(code, *args):
        process = subprocess.Popen(
            [sys.executable, "-c", code, *args], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
        )
        running.append(process)
        assert process.stdout.readline().strip() == "there"
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_killed_source_is_noticed_at_once(child, closing, lsl_session):
    process = child(CHILD_OUTLET, lsl_session, "doomed")
    inlet = closing(EmgInlet("doomed", PATIENCE_S))
    pull_samples(inlet, 50)
    process.kill()
    killed_s = time.monotonic()
    with pytest.raises(StreamLostError, match=r"doomed.*has ended"):
        wait_for(lambda: inlet.pull(0.05) is None)
    assert time.monotonic() - killed_s < 1.0


def test_a_stream_whose_process_hangs_is_one_clear_line(child, lsl_session):
    process = child(CHILD_OUTLET, lsl_session, "hung")
    found = find_stream("EMG", "hung", Search(PATIENCE_S, None))
    hang(process.pid)
    with pytest.raises(StreamNotFoundError, match=r"\(hung\): was found, but did not send its description"):
        LslStream(found, Search(0.1, None))


def test_a_stream_of_another_session_does_not_exist(child, lsl_session):
    child(CHILD_OUTLET, f"{lsl_session}-b", "stranger")
    with pytest.raises(StreamNotFoundError, match="no stream at all"):
        EmgInlet("stranger", 1.0)


def test_a_source_is_published_at_its_pace_without_drift_or_loss(closing, in_thread):
    settings = WearerSettings(seed=31, fs_hz=FS_HZ, grid=SMALL_GRID)
    schedule = (ScheduledCue("rest", 0.5, 1), ScheduledCue("fist", 0.7, 1))
    _, thread, result = in_thread(run_source, SimulatedWearer(settings, schedule), wait_for_consumers=True)
    events = closing(EventInlet(events_source_id("simulated-31"), PATIENCE_S))
    inlet = closing(EmgInlet("simulated-31", PATIENCE_S))
    chunks, ages_s = [], []

    def pull():
        for chunk in inlet.pull(0.1):
            ages_s.append(lsl_clock_s() - chunk.t_lsl_s[-1])
            chunks.append(chunk)
        return sum(chunk.n_samples for chunk in chunks) >= 1200

    wait_for(pull)
    np.testing.assert_array_equal(
        np.concatenate([chunk.emg_uv for chunk in chunks]), SimulatedWearer(settings, schedule).read(1200)
    )
    t_s = np.concatenate([chunk.t_lsl_s for chunk in chunks])
    np.testing.assert_allclose(np.diff(t_s), 0.001, atol=1e-8)
    # Nothing is sent before its time, and mostly right then.
    assert min(ages_s) > -1e-4
    assert np.median(ages_s) < 0.02
    found = []
    wait_for(lambda: found.extend(events.pull(0.1)) or (found and found[-1].kind == "end"))
    assert [(event.kind, event.fields.get("gesture")) for event in found] == [
        ("cue", "rest"),
        ("cue", "fist"),
        ("end", None),
    ]
    np.testing.assert_allclose([event.t_lsl_s for event in found], t_s[[0, 500, 1199]], rtol=0, atol=1e-9)
    thread.join(PATIENCE_S)
    assert result[0].samples == 1200
    assert result[0].seconds == pytest.approx(1.2, abs=0.3)


def test_a_recording_can_be_published_faster(closing, in_thread):
    settings = WearerSettings(seed=32, fs_hz=FS_HZ, grid=SMALL_GRID)
    wearer = SimulatedWearer(settings, (ScheduledCue("fist", 10.0, 1),))
    _, thread, result = in_thread(run_source, wearer, speed=20.0, wait_for_consumers=True)
    inlet = closing(EmgInlet("simulated-32", PATIENCE_S))
    assert inlet.info.playback_speed == 20.0
    chunks = pull_samples(inlet, 10_000)
    assert all(chunk.gap_before_s == 0 for chunk in chunks)
    t_s = np.concatenate([chunk.t_lsl_s for chunk in chunks])
    assert t_s[-1] - t_s[0] == pytest.approx(9999 / 20_000, abs=1e-6)
    thread.join(PATIENCE_S)
    assert result[0].seconds < 5.0


def test_stop_ends_a_source_that_never_ends(in_thread):
    stop, thread, result = in_thread(run_source, SimulatedWearer(WearerSettings(seed=33)))
    wait_for(lambda: any(stream.source_id == "simulated-33" for stream in list_streams(0.1)))
    stop.set()
    thread.join(PATIENCE_S)
    assert result


@pytest.mark.parametrize(
    "pace", [{"speed": 0.0}, {"speed": 1e9}, {"speed": float("nan")}, {"chunk_ms": -1.0}, {"chunk_ms": 1e12}]
)
def test_a_pace_that_would_run_away_is_refused(pace):
    stop = threading.Event()
    stop.set()
    with pytest.raises(InputError, match="at most 100, chunk_ms above 0 and at most 1000; got"):
        run_source(SimulatedWearer(WearerSettings()), stop=stop, **pace)


@pytest.mark.parametrize("make", [EmgInlet, GestureInlet, EventInlet])
def test_a_search_ends_when_it_is_stopped(make):
    stop = threading.Event()
    timer = threading.Timer(0.3, stop.set)
    started_s = time.monotonic()
    timer.start()
    with pytest.raises(SearchStoppedError, match="interrupted"):
        make("nobody", 60.0, stop=stop)
    assert time.monotonic() - started_s < 5.0
    timer.join()


def test_a_recorder_that_is_stopped_while_it_looks_for_the_emg_writes_nothing(tmp_path):
    stop = threading.Event()
    stop.set()
    with pytest.raises(SearchStoppedError):
        run_recorder(RecorderSettings("P01", "S1", ("nobody",), timeout_s=60.0), tmp_path / "s", stop)
    assert not (tmp_path / "s").exists()


def test_a_decoder_that_does_not_come_is_told_with_the_time_given(tmp_path, closing):
    closing(EmgOutlet(emg_info("alone"), 10))
    wanted = RecorderSettings("P01", "S1", ("alone",), ("nobody",), timeout_s=0.7)
    with pytest.raises(StreamNotFoundError, match=r"'nobody' found within 0\.7 s"):
        run_recorder(wanted, tmp_path / "s", threading.Event())


def test_intentions_steer_the_wearer_and_their_loss_lets_it_rest(closing):
    wearer = SimulatedWearer(WearerSettings(seed=34, fs_hz=FS_HZ))
    outlet = EventOutlet("User", "user-1")
    stop = threading.Event()
    thread = follow_intentions(wearer, "user-1", stop)
    try:
        wait_for(outlet.have_consumers)
        outlet.push(Event(lsl_clock_s(), "intention", {"gesture": "juggle"}))
        outlet.push(Event(lsl_clock_s(), "cue", {"gesture": "fist"}))
        outlet.push(Event(lsl_clock_s(), "intention", {"gesture": "hand_open", "effort": 0.8}))
        found = []
        wait_for(lambda: wearer.read(10) is not None and (found.extend(wearer.events_until(10**9)) or found))
        assert [(event.kind, dict(event.fields)) for event in found] == [
            ("intention", {"gesture": "hand_open", "effort": 0.8})
        ]
        outlet.close()
        wait_for(
            lambda: (
                wearer.read(10) is not None and (found.extend(wearer.events_until(10**9)) or len(found) > 1)
            )
        )
        assert found[-1].fields["gesture"] == "rest"
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_the_recorder_keeps_every_stream_to_the_bit(tmp_path, closing, in_thread):
    settings = WearerSettings(seed=35, fs_hz=FS_HZ, grid=SMALL_GRID)
    schedule = (ScheduledCue("rest", 0.4, 1), ScheduledCue("fist", 3.6, 1))
    decoder = GestureStreamInfo("Decoder", "dec-35", 20.0, ("rest", "fist"), "simulated-35", "cd" * 32)
    events, decisions = closing(EventOutlet("Decoder", "dec-35-events")), closing(GestureOutlet(decoder))
    in_thread(run_source, SimulatedWearer(settings, schedule), wait_for_consumers=True)
    wanted = RecorderSettings(
        "P01", "S1", ("simulated-35",), ("dec-35",), ("simulated-35-events",), timeout_s=PATIENCE_S
    )
    ready = threading.Event()
    _, thread, result = in_thread(run_recorder, wanted, tmp_path / "s", ready=ready)
    assert ready.wait(PATIENCE_S)
    # The recorder finds the decoder while it records the EMG already.
    wait_for(lambda: decisions.have_consumers() and events.have_consumers())
    values = np.array([[1, 0.9, 0.5, 1, 0.1, 0.9], [0, 0.7, 0, 1, 0.7, 0.3]], dtype=np.float32)
    stamps = lsl_clock_s() + np.array([0.0, 0.05])
    for row, t in zip(values, stamps, strict=True):
        decisions.push(row, t)
    thread.join(PATIENCE_S)  # it ends with the source
    session = load_session(tmp_path / "s")
    assert session.info.complete
    np.testing.assert_array_equal(session.emg.emg_uv, SimulatedWearer(settings, schedule).read(4000))
    np.testing.assert_array_equal(session.gestures.values, values)
    np.testing.assert_array_equal(session.gestures.t_lsl_s, stamps)
    assert session.gestures.info == decoder
    assert [(t.gesture, t.start, t.stop) for t in trials(session)] == [("rest", 0, 400), ("fist", 400, 4000)]
    assert (result[0].emg_samples, result[0].decisions, result[0].gaps) == (4000, 2, 0)


CHILD_RECORDER = """
import sys, threading
from pathlib import Path
from emg_acquisition.streams.lsl_config import configure_lsl
from emg_acquisition.streams.lsl_stream import list_streams
configure_lsl(sys.argv[1])
from emg_acquisition.recording.recorder import run_recorder
from emg_acquisition.recording.recorder import RecorderSettings
ready = threading.Event()
settings = RecorderSettings("P01", "S1", (sys.argv[2],), timeout_s=20.0)
threading.Thread(target=lambda: ready.wait() and print("there", flush=True), daemon=True).start()
run_recorder(settings, Path(sys.argv[3]), threading.Event(), ready)
"""


def test_a_killed_recorder_loses_less_than_a_second(tmp_path, child, in_thread, lsl_session, caplog):
    settings = WearerSettings(seed=36, fs_hz=FS_HZ, grid=SMALL_GRID)
    in_thread(run_source, SimulatedWearer(settings), wait_for_consumers=True)
    process = child(CHILD_RECORDER, lsl_session, "simulated-36", str(tmp_path / "s"))
    path = tmp_path / "s" / "recording.xdf"
    wait_for(lambda: path.stat().st_size > 2 * FS_HZ * (9 + 8 * 4))
    process.kill()
    killed_s = lsl_clock_s()
    process.wait()
    session = load_session(tmp_path / "s")
    assert not session.info.complete
    assert "never closed" in caplog.text
    n = len(session.emg.t_lsl_s)
    assert n >= 1.8 * FS_HZ
    assert killed_s - session.emg.t_lsl_s[-1] < 1.0
    np.testing.assert_array_equal(session.emg.emg_uv, SimulatedWearer(settings).read(n))


def test_a_recorder_outlives_the_streams_beside_the_emg_and_ends_with_the_emg(tmp_path, in_thread):
    emg = EmgOutlet(emg_info("mortal"), 10)
    notes = EventOutlet("Notes", "notes-1")
    wanted = RecorderSettings("P01", "S1", ("mortal",), (), ("notes-1",), timeout_s=1.5)
    ready = threading.Event()
    _, thread, result = in_thread(run_recorder, wanted, tmp_path / "s", ready=ready)
    assert ready.wait(PATIENCE_S)
    path = tmp_path / "s" / "recording.xdf"
    t_s = lsl_clock_s()

    def grow():
        nonlocal t_s
        size, t_s = path.stat().st_size, t_s + 0.010
        emg.push(np.ones((10, 5), dtype=np.float32), t_s)
        wait_for(lambda: path.stat().st_size > size)

    grow()
    notes.close()
    wait_for(lambda: b"notes-1) has ended" in path.read_bytes())
    grow()
    emg.close()
    thread.join(PATIENCE_S)
    session = load_session(tmp_path / "s")
    assert [event.kind for event in session.events] == ["stream_lost", "stream_lost"]
    assert result[0].emg_samples == 20


def test_a_stream_that_declares_no_grid_is_refused(closing, lsl_session):
    import pylsl

    bare = pylsl.StreamOutlet(pylsl.StreamInfo("Cap", "EMG", 4, 250.0, "float32", "bare"))
    with pytest.raises(InputError, match="'Cap': declares no electrode grid"):
        EmgInlet("bare", 5.0)
    del bare
    counts = pylsl.StreamOutlet(pylsl.StreamInfo("Counts", "EMG", 4, 250.0, "int16", "counts"))
    with pytest.raises(InputError, match="not float32"):
        EmgInlet("counts", 5.0)
    del counts
