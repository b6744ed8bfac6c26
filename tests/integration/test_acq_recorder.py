"""`hdemg record` as a process: every stream as it was sent, through kills, full disks and sources that restart."""

import json
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pylsl
import pytest
import pyxdf
import yaml

from emg_acquisition.events import Event
from emg_acquisition.recording.session import load_session
from emg_acquisition.recording.xdf_reader import read_xdf
from emg_acquisition.stream_info import AuxChannel, AuxStreamInfo
from emg_acquisition.streams.inlet import EmgInlet
from emg_acquisition.streams.outlet import EmgOutlet, EventOutlet, lsl_clock_s
from emg_acquisition.streams.publisher import run_source
from emg_acquisition.streams.stream_xml import aux_header_xml, aux_info_from_xml
from tests.acq_support import (
    FS_HZ,
    N_CHANNELS,
    REPOSITORY,
    CountingSource,
    counted,
    counting_info,
    ended_recorder,
    start_publisher,
    start_recorder,
    stop_recorder,
)
from tests.device_support import AuxReader
from tests.waiting import PATIENCE_S, wait_for


@pytest.fixture
def processes():
    """Children that are killed at the end at the latest."""
    running = []
    yield lambda process: running.append(process) or process
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def publishing(lsl_session):
    """Publish a counting source from this process until the end of the test; returns how its report is read."""
    stop, threads = threading.Event(), []

    def start(source_id):
        reports = []
        thread = threading.Thread(
            target=lambda: reports.append(run_source(CountingSource(source_id), stop=stop)), daemon=True
        )
        thread.start()
        threads.append(thread)
        return reports

    yield start
    stop.set()
    for thread in threads:
        thread.join(PATIENCE_S)


def recorded_bytes(folder):
    path = folder / "recording.xdf"
    return path.stat().st_size if path.exists() else 0


def kill_at_random(start, tmp_path, *, kills, at_once):
    """Start recorders, kill each at a moment of its own; returns by how much each missed that moment, in s."""
    rng = np.random.default_rng(kills)
    missed_s = []
    for first in range(0, kills, at_once):
        folders = [tmp_path / f"s{k}" for k in range(first, min(first + at_once, kills))]
        children = [start(one) for one in folders]
        due_s = {}
        for folder in folders:
            wait_for(lambda folder=folder: (folder / "session.yaml").exists(), "the recording")
            due_s[folder] = time.monotonic() + rng.uniform(0.15, 2.0)
        for folder, child in sorted(zip(folders, children, strict=True), key=lambda pair: due_s[pair[0]]):
            time.sleep(max(0.0, due_s[folder] - time.monotonic()))
            child.kill()
            killed_s = lsl_clock_s()
            child.wait()
            missed_s.append(killed_s - check_killed(folder))
    return missed_s


@pytest.fixture
def start_at(lsl_session, processes, publishing):
    """Start a recorder of a stream that is published until the end of the test."""
    publishing("killed")
    return lambda folder: processes(start_recorder(lsl_session, folder, "--emg", "killed"))


def check_killed(folder):
    """Check what a killed recorder left and return the time of its last sample."""
    streams, _ = pyxdf.load_xdf(folder / "recording.xdf", synchronize_clocks=False, dejitter_timestamps=False)
    (theirs,) = [stream for stream in streams if stream["info"]["type"][0] == "EMG"]
    session = load_session(folder)
    assert not session.info.complete
    begin = round(float(session.emg.emg_uv[0, 0]))
    np.testing.assert_array_equal(session.emg.emg_uv, counted(begin, len(session.emg.emg_uv)))
    np.testing.assert_array_equal(session.emg.emg_uv, theirs["time_series"])
    np.testing.assert_array_equal(session.emg.t_lsl_s, theirs["time_stamps"])
    np.testing.assert_allclose(np.diff(session.emg.t_lsl_s), 1 / FS_HZ, atol=1e-8)
    return session.emg.t_lsl_s[-1]


def test_wherever_a_recorder_is_killed_it_misses_less_than_a_second(tmp_path, start_at):
    assert max(kill_at_random(start_at, tmp_path, kills=6, at_once=3)) < 1.0


@pytest.mark.slow
@pytest.mark.campaign
def test_fifty_kills(tmp_path, start_at):
    missed_s = kill_at_random(start_at, tmp_path, kills=50, at_once=5)
    figures = (len(missed_s), float(np.median(missed_s)), max(missed_s))
    logging.getLogger(__name__).info("%d kills missed %.3f s (median), at most %.3f s", *figures)
    assert len(missed_s) == 50
    assert max(missed_s) < 1.0


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 400 kB, or, where none can be mounted, files that may not be larger.

    Returns where to record, how to start the recorder, and what the operating system says when it is full.
    """
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, stderr=subprocess.DEVNULL).returncode:
        limit = (resource.RLIMIT_FSIZE, (350_000, 350_000))
        yield folder / "s", {"preexec_fn": lambda: resource.setrlimit(*limit)}, "File too large"
        return
    yield folder / "s", {}, "No space left on device"
    subprocess.run([shutil.which("umount"), str(folder)], check=True)


def check_full_disk(recorder, folder, said):
    """Read the stream as a decoder does while the recorder's disk fills up, and on."""
    reader = EmgInlet("full", PATIENCE_S)
    read = []
    try:
        while recorder.poll() is None:
            read += reader.pull(0.1)
        after_s = lsl_clock_s()
        wait_for(lambda: read.extend(reader.pull(0.1)) or read[-1].t_lsl_s[-1] > after_s + 0.5)
    finally:
        reader.close()
    _, err = recorder.communicate()
    assert recorder.returncode == 2
    (line,) = [line for line in err.splitlines() if "error" in line]
    assert said in line
    assert "is whole" in line
    assert "Traceback" not in err
    assert not any(chunk.gap_before_s for chunk in read)
    rows = np.concatenate([chunk.emg_uv for chunk in read])
    np.testing.assert_array_equal(rows, counted(round(float(rows[0, 0])), len(rows)))
    assert yaml.safe_load((folder / "session.yaml").read_text())["complete"] is False
    assert not read_xdf(folder / "recording.xdf").truncated
    session = load_session(folder)
    begin = round(float(session.emg.emg_uv[0, 0]))
    assert len(session.emg.emg_uv) > FS_HZ
    np.testing.assert_array_equal(session.emg.emg_uv, counted(begin, len(session.emg.emg_uv)))


def test_a_full_disk_ends_the_recording_and_nothing_else(lsl_session, small_disk, processes, publishing):
    publishing("full")
    folder, how, said = small_disk
    recorder = processes(start_recorder(lsl_session, folder, "--emg", "full", **how))
    check_full_disk(recorder, folder, said)


def test_a_source_that_restarts_is_recorded_on_and_one_that_changed_is_not(lsl_session, tmp_path, processes):
    folder = tmp_path / "s"
    first = processes(start_publisher(lsl_session, "again"))
    recorder = processes(start_recorder(lsl_session, folder, "--emg", "again"))
    wait_for(lambda: recorded_bytes(folder) > 100_000, "the recording")
    first.kill()
    wait_for(lambda: b'"stream_lost"' in (folder / "recording.xdf").read_bytes(), "the loss")
    second = processes(start_publisher(lsl_session, "again", begin=100_000))
    wait_for(lambda: b'"stream_back"' in (folder / "recording.xdf").read_bytes(), "the return")
    size = recorded_bytes(folder)
    wait_for(lambda: recorded_bytes(folder) > size + 100_000, "more samples")
    second.kill()
    second.wait()
    processes(start_publisher(lsl_session, "again", begin=200_000, reference="elsewhere"))
    wait_for(lambda: b'"stream_changed"' in (folder / "recording.xdf").read_bytes(), "the change")
    report, said = stop_recorder(recorder, signal.SIGTERM)
    assert "came back with another declaration: it is not recorded" in said
    session = load_session(folder)
    assert session.info.complete
    (about,) = [stream for stream in session.info.streams if stream.type == "EMG"]
    assert about.interruptions == 2
    assert about.gaps == report["gaps"] == 1
    rows, restart = session.emg.emg_uv, int(np.argmax(np.diff(session.emg.emg_uv[:, 0]) > 1)) + 1
    np.testing.assert_array_equal(rows[:restart], counted(round(float(rows[0, 0])), restart))
    # The publisher waits for somebody who reads: the recorder was back before its first sample.
    np.testing.assert_array_equal(rows[restart:], counted(0, len(rows) - restart, begin=100_000))
    assert [event.kind for event in session.events if event.kind.startswith("stream")] == [
        "stream_lost",
        "stream_back",
        "stream_lost",
        "stream_changed",
    ]
    (gap,) = [event for event in session.events if event.kind == "gap"]
    assert gap.t_lsl_s == session.emg.t_lsl_s[restart]
    assert gap.fields["worst_s"] == pytest.approx(
        session.emg.t_lsl_s[restart] - session.emg.t_lsl_s[restart - 1] - 1 / FS_HZ, abs=1e-5
    )


def outlet(*declared):
    return pylsl.StreamOutlet(pylsl.StreamInfo(*declared))


def aux_outlet(info):
    stream = pylsl.StreamInfo(info.name, "Aux", info.n_channels, info.fs_hz, "float32", info.source_id)
    channels = stream.desc().append_child("channels")
    for channel in info.channels:
        one = channels.append_child("channel")
        for field, text in (("label", channel.label), ("unit", channel.unit), ("type", channel.kind)):
            one.append_child_value(field, text)
    return pylsl.StreamOutlet(stream)


def test_every_stream_of_a_session_is_recorded_as_it_was_sent(lsl_session, tmp_path, processes):
    folder = tmp_path / "s"
    left, right = (EmgOutlet(counting_info(f"all-{side}"), 20) for side in ("left", "right"))
    aux_info = AuxStreamInfo("Aux", "all-left-aux", FS_HZ, (AuxChannel("ramp", "counter"),))
    aux, cues = aux_outlet(aux_info), EventOutlet("Cues", "all-cues")
    counts = outlet("Counts", "Other", 3, 100.0, "int16", "all-counts")
    recorder = processes(start_recorder(lsl_session, folder, "--all", "--participant", "P07"))
    wait_for((folder / "session.yaml").exists, "the recording")
    late = outlet("Late", "Notes", 2, 0.0, "string", "all-late")
    reader = AuxReader("all-left-aux")
    assert aux_info_from_xml(reader.header_xml) == aux_info == aux_info_from_xml(aux_header_xml(aux_info))
    wait_for(late.have_consumers, "the late stream")
    t_s = lsl_clock_s() + np.arange(400) / FS_HZ
    rng = np.random.default_rng(8)
    numbers = rng.integers(-30_000, 30_000, (50, 3)).astype(np.int16)
    left.push(counted(0, 400), t_s[-1])
    right.push(counted(0, 400, begin=7), t_s[-1] + 0.01)
    aux.push_chunk(np.arange(400, dtype=np.float32)[:, np.newaxis], t_s.tolist())
    counts.push_chunk(numbers, (t_s[:50] + 1e-4).tolist())
    cues.push(Event(t_s[3], "cue", {"gesture": "fist", "repetition": 1, "trial": 1}))
    late.push_chunk([["ä", "x" * 300], ["", "\x01"]], [t_s[5], t_s[6]])
    ramp = []
    wait_for(lambda: ramp.extend(reader.pull()[0][:, 0].tolist()) or len(ramp) == 400)
    wait_for(lambda: b"x" * 300 in (folder / "recording.xdf").read_bytes(), "the last text")
    wait_for(lambda: every_clock_is_measured(folder / "recording.xdf"), "a measurement of every clock")
    report, _ = stop_recorder(recorder)
    assert report["streams"] == 6
    check_all(folder, t_s, numbers)
    del left, right, aux, counts, late, cues


def every_clock_is_measured(path):
    streams = read_xdf(path).streams
    sent = [stream for stream in streams if stream.header.source_id != "hdemg-recorder"]
    return len(sent) == 6 and all(len(stream.clock_times_s) for stream in sent)


def check_all(folder, t_s, numbers):
    path = folder / "recording.xdf"
    streams = {stream.header.source_id: stream for stream in read_xdf(path).streams}
    for source_id, begin in (("all-left", 0), ("all-right", 7)):
        np.testing.assert_array_equal(streams[source_id].values, counted(0, 400, begin=begin))
    np.testing.assert_allclose(streams["all-left"].t_lsl_s, t_s, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(streams["all-counts"].values, numbers)
    np.testing.assert_array_equal(streams["all-counts"].t_lsl_s, t_s[:50] + 1e-4)
    assert streams["all-late"].values.tolist() == [["ä", "x" * 300], ["", "\x01"]]
    np.testing.assert_array_equal(streams["all-late"].t_lsl_s, t_s[5:7])
    theirs, _ = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    for one in theirs:
        ours = streams[one["info"]["source_id"][0]]
        np.testing.assert_array_equal(ours.t_lsl_s, one["time_stamps"])
        assert ours.values.tolist() == np.asarray(one["time_series"]).tolist()
        footer = one["footer"]["info"]
        assert int(footer["sample_count"][0]) == len(ours.t_lsl_s)
        if ours.header.source_id == "hdemg-recorder":
            continue  # the recorder's own notes are on its own clock
        assert len(one["clock_times"]) >= 1
        offsets = footer["clock_offsets"][0]["offset"]
        assert [float(offset["value"][0]) for offset in offsets] == one["clock_values"]
        assert np.abs(one["clock_values"]).max() < 0.005  # one machine has one clock
    session = load_session(folder, "all-left")
    assert session.aux.values[:, 0].tolist() == list(range(400))
    assert [event.kind for event in session.events] == ["cue"]
    listed = {stream.source_id: stream.samples for stream in session.info.streams}
    assert listed == {
        "all-left": 400,
        "all-right": 400,
        "all-left-aux": 400,
        "all-counts": 50,
        "all-cues": 1,
        "all-late": 2,
        "hdemg-recorder": 0,
    }


def test_two_sleeves_end_the_recording_when_both_have_ended(lsl_session, tmp_path, processes):
    folder, stops = tmp_path / "s", {}
    for side in ("left", "right"):
        stop = stops[side] = threading.Event()
        source = CountingSource(f"end-{side}")
        threading.Thread(target=run_source, args=(source,), kwargs={"stop": stop}, daemon=True).start()
    choice = [
        f"--{kind}=end-{side}{end}" for side in stops for kind, end in (("emg", ""), ("events", "-events"))
    ]
    recorder = processes(start_recorder(lsl_session, folder, *choice))
    wait_for(lambda: recorded_bytes(folder) > 100_000, "the recording")
    stops["left"].set()
    wait_for(lambda: b'"event":"end"' in (folder / "recording.xdf").read_bytes(), "the first end")
    size = recorded_bytes(folder)
    wait_for(lambda: recorded_bytes(folder) > size + 50_000, "more of the other")
    stops["right"].set()
    report, _ = ended_recorder(recorder)
    left, right = (load_session(folder, f"end-{side}").emg for side in ("left", "right"))
    assert len(right.t_lsl_s) > len(left.t_lsl_s)
    assert report["emg_samples"] == len(right.t_lsl_s) + len(left.t_lsl_s)
    for emg in (left, right):
        np.testing.assert_array_equal(emg.emg_uv, counted(round(float(emg.emg_uv[0, 0])), len(emg.emg_uv)))
        assert emg.emg_uv.shape[1] == N_CHANNELS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--emg", "nobody"], "no LSL stream of type EMG with source_id 'nobody' found within 0.5 s"),
        (["--all"], "no LSL stream of type EMG found within 0.5 s; there is no stream at all"),
        (["--let-in", "a b"], "host 'a b': a name or address"),
        (["--participant", "Jane Doe"], "participant 'Jane Doe': a code of letters and digits is required"),
    ],
)
def test_what_cannot_be_recorded_is_one_line(hdemg, lsl_session, tmp_path, arguments, said):
    ran = hdemg("record", tmp_path / "s", *arguments, "--timeout", "0.5", "--lsl-session", lsl_session)
    assert ran.status == 2
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not (tmp_path / "s").exists()


READ_ELSEWHERE = """
import json, sys
from emg_acquisition.streams.lsl_config import configure_lsl
configure_lsl(sys.argv[1], [sys.argv[2]])
from emg_acquisition.streams.inlet import EmgInlet
from emg_acquisition.streams.outlet import lsl_clock_s
inlet = EmgInlet("far", 20.0)
ages_s, gaps = [], 0
while len(ages_s) < 40:
    for chunk in inlet.pull(0.5):
        ages_s.append(lsl_clock_s() - chunk.t_lsl_s[-1])
        gaps += chunk.gap_before_s > 0
print(json.dumps({"ages_s": ages_s, "gaps": gaps}))
"""


def test_a_stream_of_another_machine_is_let_in_only_when_asked_for_and_moved_to_this_clock(
    lsl_session, tmp_path, processes
):
    # Another host name and a clock 1000 s ahead: what Linux calls namespaces stands for the other machine.
    before = [
        "unshare",
        "--uts",
        "--time",
        "--monotonic",
        "1000",
        "sh",
        "-c",
        'hostname hdemg-far; exec "$@"',
        "-",
    ]
    if shutil.which("unshare") is None or subprocess.run([*before, "true"], capture_output=True).returncode:  # noqa: PLW1510
        pytest.skip("this machine lets nobody have a host name and a clock of their own")
    processes(start_publisher(lsl_session, "far", before=[*before, "env"]))
    refused = processes(start_recorder(lsl_session, tmp_path / "no", "--emg", "far", "--timeout", "1.5"))
    assert "no LSL stream of type EMG with source_id 'far'" in refused.communicate(timeout=PATIENCE_S)[1]
    folder = tmp_path / "s"
    recorder = processes(start_recorder(lsl_session, folder, "--emg", "far", "--let-in", "hdemg-far"))
    reading = [sys.executable, "-c", READ_ELSEWHERE, lsl_session, "hdemg-far"]
    done = subprocess.run(reading, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["gaps"] == 0
    assert -0.005 < np.median(seen["ages_s"]) < 0.1
    now_s = lsl_clock_s()
    wait_for(lambda: recorded_bytes(folder) > 300_000)
    stop_recorder(recorder)
    session = load_session(folder)
    (raw,) = [stream for stream in read_xdf(folder / "recording.xdf").streams if stream.header.type == "EMG"]
    assert raw.t_lsl_s[0] - now_s > 900
    assert abs(session.emg.t_lsl_s[-1] - now_s) < PATIENCE_S
    (theirs,) = [
        stream
        for stream in read_xdf(folder / "recording.xdf", synchronised=True).streams
        if stream.header.type == "EMG"
    ]
    np.testing.assert_allclose(session.emg.t_lsl_s, theirs.t_lsl_s, atol=0.002)


@pytest.mark.slow
def test_two_sleeves_at_full_rate_take_less_than_half_a_core_and_lose_no_bit():
    done = subprocess.run(
        [sys.executable, "benchmarks/two_sleeves.py", "--seconds", "20", "--pyxdf"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["samples"] == {"sleeve-left": 80_000, "sleeve-right": 80_000}
    assert figures["bit_exact"]
    assert figures["pyxdf_bit_exact"]
    assert figures["gaps"] == 0
    assert figures["cpu_percent_of_one_core"] < 50
    assert figures["recorder"]["rss_mb_last_fifth"] < figures["recorder"]["rss_mb_first_fifth"] + 30
