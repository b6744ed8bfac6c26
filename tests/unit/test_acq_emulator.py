"""What emulators share: a thread that hides no failure, and a clock without drift."""

import threading
import time

import pytest

from simulation.amplifiers.emulator import DeviceClock, EmulatorThread


def test_what_went_wrong_in_an_emulator_is_raised_when_it_is_stopped():
    def fail(stop):
        raise OSError("no such wearer")

    thread = EmulatorThread("broken", fail)
    thread.start()
    with pytest.raises(RuntimeError, match="the emulator broken failed: no such wearer"):
        thread.stop()
    thread.stop()


def test_an_emulator_can_be_switched_off_and_on_again():
    runs = []
    thread = EmulatorThread("twice", lambda stop: runs.append(stop.wait(20.0)))
    for _ in range(2):
        thread.start()
        thread.stop()
    assert runs == [True, True]


def test_lateness_of_the_device_s_clock_does_not_add_up():
    before_s = time.monotonic()
    clock = DeviceClock(10_000.0)
    after_s = time.monotonic()
    taken, asked_s = 0, after_s
    while asked_s - after_s < 0.2:
        time.sleep(0.003)
        asked_s = time.monotonic()
        taken += clock.take()
    answered_s = time.monotonic()
    assert (asked_s - after_s) * 10_000.0 - 1 <= taken <= (answered_s - before_s) * 10_000.0 + 1


def test_waiting_for_samples_takes_their_time_and_ends_when_told():
    clock = DeviceClock(1000.0)
    began_s = time.monotonic()
    assert clock.wait_for(100, threading.Event())
    assert time.monotonic() - began_s >= 0.09
    told = threading.Event()
    told.set()
    assert not clock.wait_for(100_000, told)
