"""``hdemg doctor --amplifier``: whether an amplifier is there, and sends what it should."""

import socket
import threading
import time

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.sources.amplifier_names import AMPLIFIERS
from ui.doctor import Check

WATCHED_S = 2.0
MAX_RATE_ERROR = 0.2


def check_amplifier(which: str, host: str | None, port: int | None, timeout_s: float) -> Check:
    """Reach an amplifier and read from it for two seconds.

    Parameters
    ----------
    which : str
        An amplifier's name, or ``HOST:PORT`` for any device that listens.
    host, port : optional
        As `hdemg acquire` takes them.
    timeout_s : float
        How long to wait for it.
    """
    if which in AMPLIFIERS:
        return _named(which, host, port, timeout_s)
    place, colon, number = which.rpartition(":")
    if not colon or not place or not number.isdecimal():
        known = ", ".join(AMPLIFIERS)
        raise InputError(f"--amplifier {which!r}: one of {known} is required, or HOST:PORT")
    return _listening(place, int(number), timeout_s)


def _listening(host: str, port: int, timeout_s: float) -> Check:
    name = f"amplifier {host}:{port}"
    try:
        with socket.create_connection((host, port), timeout_s):
            return Check(name, True, "it accepts a connection")
    except (OSError, OverflowError) as error:
        remedy = "switch it on, join its network, and see that no firewall stands between"
        return Check(name, False, f"no connection within {timeout_s:g} s ({error})", remedy)


def _named(which: str, host: str | None, port: int | None, timeout_s: float) -> Check:
    from emg_acquisition.sources.amplifiers import AmplifierChoice, open_amplifier
    from emg_acquisition.streams.device_publisher import connect_device

    name = f"amplifier {which}"
    device = open_amplifier(AmplifierChoice(which, host=host, port=port))
    try:
        connect_device(device, timeout_s, threading.Event())
        samples, lost, began_s = 0, 0, time.monotonic()
        while time.monotonic() - began_s < WATCHED_S:
            for block in device.read(0.2):
                samples, lost = samples + block.n_samples, lost + block.lost_before
    except (InputError, StreamLostError) as error:
        return Check(name, False, str(error), "see docs/amplifiers.md; hdemg acquire takes the same options")
    finally:
        device.close()
    return _judged(name, samples / WATCHED_S, device.infos[0].fs_hz, lost)


def _judged(name: str, rate_hz: float, nominal_hz: float, lost: int) -> Check:
    found = f"{rate_hz:.0f} samples a second of {nominal_hz:g}, {lost} lost"
    if abs(rate_hz / nominal_hz - 1) > MAX_RATE_ERROR:
        return Check(name, False, found, "check its battery and the strength of its wireless link")
    return Check(name, None if lost else True, found, "come closer with wireless ones" if lost else "")
