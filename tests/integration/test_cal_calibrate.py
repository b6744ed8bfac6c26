"""``hdemg calibrate`` as a person starts it: unattended with a simulated wearer, killed, resumed, given nonsense."""

import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest

from calibration.parts import find_calibration, read_events
from calibration.trial_verdict import Verdict, labels_of
from emg_acquisition.recording.session import load_session
from tests.command_line import command, run_here
from tests.waiting import wait_for

PROTOCOL = """name: short
gestures: [fist, hand_open]
repetitions: 2
rest_s: 1.0
ready_s: 0.2
ramp_s: 0.3
hold_s: 0.9
"""
LIMIT_S = 300.0


@pytest.fixture
def protocol(tmp_path):
    path = tmp_path / "short.yaml"
    path.write_text(PROTOCOL, encoding="utf-8")
    return path


def automatic(protocol, out, *more):
    """Start with a simulated wearer, each time in an LSL session of its own: what was killed may linger."""
    return command(
        *("calibrate", "--source", "simulated", "--auto", "--headless"),
        *("--participant", "P01", "--out", out, "--json"),
        *more,
        *(() if "--resume" in more else ("--protocol", protocol, "--powerline", "50")),
    )


def events_so_far(out):
    """Events of every part that were written so far, by what a recorder has handed to the system."""
    parts = sorted((out / "sub-P01").glob("ses-*"))
    return {part: read_events(part) for part in parts if (part / "recording.xdf").is_file()}


def kill_all_of(process):
    """Kill the calibration as a power cut does: with its recorder, trainer and wearer, none of which may say a word."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    for pid in (process.pid, *map(int, children)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def campaign(protocol, out, kills, rng, *, power_cut):
    """Kill at random moments and resume, then let it finish; returns what it printed last."""
    told: list[dict[Path, int]] = []
    for k in range(kills):
        more = ("--resume",) if k else ()
        before = len(list((out / "sub-P01").glob("ses-*/recording.xdf")))
        process = subprocess.Popen(
            automatic(protocol, out, *more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(
            lambda before=before: len(list((out / "sub-P01").glob("ses-*/recording.xdf"))) > before,
            "a recording of this part",
            LIMIT_S,
        )
        time.sleep(rng.uniform(0.5, 5.0))
        seen = {part: len(events) for part, events in events_so_far(out).items()}
        told.append(seen)
        if power_cut(k):
            kill_all_of(process)
        else:
            process.kill()
            process.wait()
    done = subprocess.run(
        automatic(protocol, out, "--resume"),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for seen in told:
        for part, n_events in seen.items():
            assert len(read_events(part)) >= n_events  # nothing that was recorded is lost
    return json.loads(done.stdout.splitlines()[-1])


def check_finished(told, out, tmp_path):
    found = find_calibration(out, "P01", None)
    good = [
        (one.gesture, one.repetition)
        for one in found.labels
        if one.verdict in {Verdict.GOOD, Verdict.SKIPPED} and one.gesture != "rest"
    ]
    assert sorted(good) == sorted((one.gesture, one.repetition) for one in found.protocol.trials())
    again = tmp_path / "again.onnx"
    trained = run_here("train", *told["sessions"], "-o", again, "--powerline", "50")
    # Resuming kept the mains frequency that the calibration was started with.
    assert trained.status == 0, trained.err
    assert again.read_bytes() == Path(told["decoder"]).read_bytes()


def test_killed_it_resumes_and_training_gives_the_same_decoder(protocol, tmp_path):
    out = tmp_path / "data"
    told = campaign(
        protocol,
        out,
        kills=1,
        rng=random.Random(6),  # noqa: S311 - moments to kill at
        power_cut=lambda k: k % 2 == 1,
    )
    check_finished(told, out, tmp_path)
    last = load_session(Path(told["sessions"][-1]))
    assert last.info.complete
    assert last.info.recording.sha256
    assert {event.kind for event in last.events} >= {"calibration", "cue", "label", "cues_done"}
    assert labels_of(last.events)
    assert set(told["try_out"]) == {"fist", "hand_open"}


@pytest.mark.slow
@pytest.mark.campaign
def test_killed_twenty_times_nothing_is_lost(tmp_path):
    protocol = tmp_path / "long.yaml"
    protocol.write_text(PROTOCOL.replace("repetitions: 2", "repetitions: 20"), encoding="utf-8")
    out = tmp_path / "data"
    rng = random.Random(20)  # noqa: S311 - moments to kill at
    told = campaign(protocol, out, kills=20, rng=rng, power_cut=lambda k: k % 2 == 0)
    check_finished(told, out, tmp_path)


@pytest.mark.slow
@pytest.mark.campaign
def test_the_default_protocol_with_a_simulated_wearer_takes_five_minutes_at_most(tmp_path):
    done = subprocess.run(
        command(
            *("calibrate", "--source", "simulated", "--auto", "--headless", "--participant", "P01"),
            *("--out", tmp_path / "data", "--json", "--rate", "4000"),
        ),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    events = read_events(Path(told["sessions"][0]))
    asked = [event for event in events if event.kind in {"cue", "cues_done"}]
    assert asked[-1].t_lsl_s - asked[0].t_lsl_s + told["seconds"] < 5 * 60
    assert told["held_out"]["trial_accuracy"] > 0.8


@pytest.mark.slow
def test_a_disk_that_fills_up_stops_it_in_one_line_and_keeps_what_was_recorded(protocol, tmp_path):
    done = subprocess.run(
        automatic(protocol, tmp_path / "data"),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000)),
    )
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert "cannot be written any more" in last
    assert "--resume" in last
    assert "Traceback" not in done.stderr
    resumed = subprocess.run(
        automatic(protocol, tmp_path / "data", "--resume"),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert resumed.returncode == 0, resumed.stderr
    check_finished(json.loads(resumed.stdout.splitlines()[-1]), tmp_path / "data", tmp_path)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--participant", "../P01"), "a code of letters and digits is required"),
        (("--participant", "P01", "--protocol", "nowhere.yaml"), "neither a YAML file nor one of"),
        (("--participant", "P01", "--resume"), "holds no calibration to resume"),
        (("--participant", "P01", "--auto"), "--auto needs --source simulated"),
        (("--participant", "P01", "--protocol", "quick"), "no accepted decoder to recalibrate"),
        (
            ("--participant", "P01", "--protocol", "quick", "--powerline", "50"),
            "keeps the decoder's signal path",
        ),
        (("--participant", "P01", "--signal", "nowhere.yaml"), "nowhere.yaml: cannot be read"),
        (("--participant", "P01", "--source", "nobody", "--timeout", "0.5"), "no LSL stream of type EMG"),
    ],
)
def test_bad_input_is_one_line(hdemg, tmp_path, lsl_session, arguments, says):
    ran = hdemg("calibrate", *arguments, "--headless", "--out", tmp_path, "--lsl-session", lsl_session)
    assert ran.status == 2
    assert says in ran.err
    assert "Traceback" not in ran.err
    assert not list(tmp_path.glob("sub-*/ses-*"))
