"""What happened is on disk: whole, bounded, and at nobody's cost."""

import errno
import json
import logging
import threading
import time
from pathlib import Path

import pytest

from robot_bridge import incident_log
from robot_bridge.incident_log import AFTER_S, JOURNAL_S, TRY_AGAIN_S, IncidentLog, incident_folder


class Clock:
    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def log(tmp_path, clock):
    log = IncidentLog("test", tmp_path / "incidents", clock=clock)
    yield log
    log.close()


def lines(folder):
    files = sorted(folder.glob("*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def test_what_is_noted_is_a_line_with_its_times(log, clock):
    log.note("transition", old="armed", new="fault", reason="no decision for 0.25 s")
    clock.now_s += 1.0
    log.note("start", folder=Path("/somewhere"))
    log.flush()
    first, second = lines(log.path.parent)
    assert first["kind"] == "transition"
    assert first["reason"] == "no decision for 0.25 s"
    assert first["mono_s"] == 1000.0
    assert first["t"].endswith("+00:00")
    assert second["folder"] == "/somewhere"


def test_of_the_journal_the_last_minute_before_a_fault_and_the_moments_after_it_are_kept(log, clock):
    for second in range(200):
        clock.now_s = 1000.0 + second
        log.note_journal(f"[[{second}]]")
        if second == 150:
            log.keep_journal()
        log.flush()
    rows = [line["rows"][0][0] for line in lines(log.path.parent)]
    assert rows == list(range(150 - round(JOURNAL_S), 150 + round(AFTER_S) + 1))
    # A second fault at once after it writes nothing twice.
    log.keep_journal()
    log.flush()
    rows = [line["rows"][0][0] for line in lines(log.path.parent)]
    assert len(rows) == len(set(rows))
    # What waits for a fault does not grow.
    assert len(log._journal) <= JOURNAL_S + 1


def test_files_are_of_bounded_size_and_number_and_the_newest_stay(tmp_path, clock):
    for run in range(3):
        log = IncidentLog(f"run{run}", tmp_path, file_bytes=2_000, files=4, clock=clock)
        for n in range(100):
            log.note("diagnostics", n=n, text="x" * 100)
            log.flush()
        log.close()
    files = list(tmp_path.glob("*.jsonl"))
    assert len(files) == 4
    assert all(path.stat().st_size < 2_500 for path in files)
    assert max(line["n"] for line in lines(tmp_path)) == 99
    assert all("run2" in path.name for path in files)


@pytest.mark.parametrize("how", ["a file in its place", "a full disk"])
def test_a_disk_that_does_not_take_it_is_one_warning(tmp_path, clock, caplog, monkeypatch, how):
    folder = tmp_path / "state"
    if how == "a file in its place":
        folder.write_text("")
    log = IncidentLog("test", folder / "incidents", clock=clock)

    def full(_path, *_args, **_how):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        if how == "a full disk":
            patched.setattr(Path, "open", full)
        for _ in range(100):
            log.note("diagnostics")
            log.flush()
            clock.now_s += 1.0
    assert len(caplog.records) == 1
    assert "no incident log in" in caplog.text
    # It is tried again, and what comes then is written.
    if how == "a file in its place":
        folder.unlink()
    clock.now_s += TRY_AGAIN_S
    log.note("at last")
    log.flush()
    log.close()
    assert [line["kind"] for line in lines(folder / "incidents")] == ["at last"]


def test_a_disk_that_hangs_holds_nobody_up(tmp_path, monkeypatch):
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(*_, **__):
        hangs.set()
        goes_on.wait()

    monkeypatch.setattr(IncidentLog, "_write", hang)
    log = IncidentLog("test", tmp_path)
    log.start()
    log.note("first")
    assert hangs.wait(10)
    began_s = time.monotonic()
    for n in range(50_000):
        log.note("diagnostics", n=n)
        log.note_journal("[]")
        log.keep_journal()
    assert time.monotonic() - began_s < 5.0
    assert len(log._queue) <= incident_log.MAX_WAITING
    goes_on.set()
    log.close()


def test_where_it_is(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert incident_folder() == tmp_path / "hdemg" / "incidents"
    # The specification: relative ones are ignored.
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert incident_folder() == tmp_path / ".local" / "state" / "hdemg" / "incidents"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert incident_folder() == tmp_path / ".local" / "state" / "hdemg" / "incidents"

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert incident_folder() is None
    with caplog.at_level(logging.WARNING):
        log = IncidentLog("test")
        log.start()
        log.note("start")
        log.flush()
        log.close()
    assert "set XDG_STATE_HOME" in caplog.text
