"""An amplifier onto LSL: stamped by its own count of samples, its losses reported, reconnected when it is back."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float64Array, samples_from_ms
from emg_acquisition.errors import StreamLostError
from emg_acquisition.events import Event
from emg_acquisition.source import DeviceBlock, DeviceSource
from emg_acquisition.stream_info import events_source_id
from emg_acquisition.streams.outlet import AuxOutlet, EmgOutlet, EventOutlet, lsl_clock_s
from emg_acquisition.streams.sample_clock import SampleClock

_log = logging.getLogger(__name__)

# How long a device may hold a call: whoever ends the command waits for no longer.
READ_S = 0.1
CONNECT_SLICE_S = 0.5
RETRY_S = 0.1
CHUNK_MS = 10.0
REPORT_EVERY_S = 1.0


@dataclass(frozen=True)
class DeviceLimits:
    """What is still taken for a device at work.

    Parameters
    ----------
    silent_s : float
        Silence that is reported.
    lost_s : float
        Silence after which the device is taken for lost and connected again.
    lag_s : float
        How far time stamps may be behind the least delayed arrivals of the last seconds. Beyond it the samples wait
        on their way or come more slowly than declared; what is old is never stamped as new, so a new connection is
        the remedy.
    ahead_s : float
        How far time stamps may be ahead of their own arrival; the bridge takes no more for the present either.
    """

    silent_s: float = 0.5
    lost_s: float = 1.5
    lag_s: float = 0.2
    ahead_s: float = 0.05


@dataclass
class DeviceReport:
    """What a device sent, counted while it runs."""

    samples: int = 0
    lost_samples: int = 0
    gaps: int = 0
    reconnects: int = 0
    seconds: float = 0.0


def connect_device(device: DeviceSource, timeout_s: float, stop: threading.Event) -> bool:
    """Connect a device, in slices short enough for a person who wants to end it; False if ``stop`` was set.

    Raises
    ------
    StreamLostError
        If it is not there within the time.
    InputError
        If it cannot be set up as asked.
    """
    deadline_s = time.monotonic() + timeout_s
    while not stop.is_set():
        try:
            device.connect(CONNECT_SLICE_S)
        except StreamLostError as error:
            if time.monotonic() + RETRY_S >= deadline_s:
                raise StreamLostError(
                    f"no amplifier within {timeout_s:g} s; the last try: {error}"
                ) from error
            _log.debug("not there yet: %s", error)
            stop.wait(RETRY_S)
            continue
        return True
    return False


def run_device(
    device: DeviceSource, *, stop: threading.Event, limits: DeviceLimits | None = None
) -> DeviceReport:
    """Publish a connected device until ``stop`` is set, then close it.

    Each EMG stream and the auxiliary channels go to a stream of their own, with the same time stamps (see
    `SampleClock`). Samples that the device's counter shows to be lost leave a gap in the time stamps. The Markers
    stream ``<source_id>-events`` of each EMG stream reports what happened: ``device_gap`` with ``lost_samples``, at
    the first sample after it; ``device_silent``; ``device_lost`` with its ``reason``; ``device_back`` with
    ``away_s``; ``end``. The streams stay open while the device is away, and what they sent before is never
    sent again: a sample that would not be later than the last one is dropped.

    Parameters
    ----------
    device : DeviceSource
        Connected by `connect_device`.
    stop : threading.Event
        Ends it, within half a second.
    limits : DeviceLimits, optional
        What is taken for silence and for loss.

    Raises
    ------
    InputError
        If the device, or what comes back in its place, is not what it was set up to be.
    """
    runner = None
    try:
        runner = _Runner(device, limits or DeviceLimits())
        return runner.run(stop)
    finally:
        device.close()
        if runner is not None:
            runner.close()


class _Outlets:
    """Every stream of one device, sent to together."""

    def __init__(self, device: DeviceSource) -> None:
        chunk_samples = samples_from_ms(CHUNK_MS, device.infos[0].fs_hz)
        self._aux = None if device.aux_info is None else AuxOutlet(device.aux_info, chunk_samples)
        self._events = [
            EventOutlet(f"{info.name} events", events_source_id(info.source_id)) for info in device.infos
        ]
        self._emg = [EmgOutlet(info, chunk_samples) for info in device.infos]

    def push(self, block: DeviceBlock, first: int, t_lsl_s: Float64Array) -> None:
        for outlet, emg_uv in zip(self._emg, block.emg_uv, strict=True):
            outlet.push_stamped(emg_uv[first:], t_lsl_s)
        if self._aux is not None:
            self._aux.push_stamped(block.aux[first:], t_lsl_s)

    def report(self, t_lsl_s: float, kind: str, fields: Mapping[str, object]) -> None:
        for outlet in self._events:
            outlet.push(Event(t_lsl_s, kind, fields))

    def close(self) -> None:
        if self._aux is not None:
            self._aux.close()
        for emg in self._emg:
            emg.close()
        for events in self._events:
            events.close()


class _Runner:
    """The loop around a device: read, stamp, send; and what to do when it is silent or lost."""

    def __init__(self, device: DeviceSource, limits: DeviceLimits) -> None:
        self._device, self._limits = device, limits
        self._fs_hz = device.infos[0].fs_hz
        self._clock = SampleClock(self._fs_hz)
        self._outlets = _Outlets(device)
        self._report = DeviceReport()
        self._held: list[DeviceBlock] = []
        self._t_last_lsl_s = -np.inf
        self._heard_mono_s = time.monotonic()
        self._silent = False
        self._reported_mono_s = 0.0
        self._reported_lost = 0

    def close(self) -> None:
        self._outlets.close()

    def run(self, stop: threading.Event) -> DeviceReport:
        started_s = time.monotonic()
        self._heard_mono_s = started_s
        while not stop.is_set():
            try:
                self._take(self._device.read(READ_S))
            except StreamLostError as error:
                self._reconnect(str(error), stop)
                continue
            self._report_losses()
        self._outlets.report(lsl_clock_s(), "end", {})
        self._report.seconds = time.monotonic() - started_s
        return self._report

    def _take(self, blocks: list[DeviceBlock]) -> None:
        t_arrival_s = lsl_clock_s()
        for block in blocks:
            self._held.append(block)
            t_lsl_s = self._clock.stamp(block.n_samples, t_arrival_s, block.lost_before)
            if len(t_lsl_s):
                self._judge_time(float(t_lsl_s[-1]) - t_arrival_s)
                self._send_held(t_lsl_s)
        self._judge_silence(any(block.n_samples for block in blocks))

    def _judge_time(self, ahead_s: float) -> None:
        off_s = ahead_s if ahead_s > self._limits.ahead_s else -self._clock.lag_s
        if ahead_s > self._limits.ahead_s or self._clock.lag_s > self._limits.lag_s:
            msg = (
                f"its samples come {abs(off_s):.2f} s {'early' if off_s > 0 else 'late'} for their count: "
                f"it does not run at {self._fs_hz:g} Hz, it stood still, or its data wait on the way"
            )
            raise StreamLostError(msg)

    def _send_held(self, t_lsl_s: Float64Array) -> None:
        sent = 0
        for block in self._held:
            stamps = t_lsl_s[sent : sent + block.n_samples]
            sent += block.n_samples
            if block.lost_before:
                self._report.gaps += 1
                self._report.lost_samples += block.lost_before
                self._outlets.report(float(stamps[0]), "device_gap", {"lost_samples": block.lost_before})
            # After a reconnect a device may send what it had kept: time must not run backwards for it.
            first = int(np.searchsorted(stamps, self._t_last_lsl_s, side="right"))
            if first < len(stamps):
                self._outlets.push(block, first, stamps[first:])
                self._t_last_lsl_s = float(stamps[-1])
                self._report.samples += len(stamps) - first
        self._held = []

    def _judge_silence(self, heard: bool) -> None:
        now_s = time.monotonic()
        silence_s = now_s - self._heard_mono_s
        if heard:
            self._heard_mono_s = now_s
            if self._silent:
                self._silent = False
                _log.info("the device sends again after %.1f s", silence_s)
        elif silence_s > self._limits.lost_s:
            msg = f"no sample for {silence_s:.1f} s"
            raise StreamLostError(msg)
        elif silence_s > self._limits.silent_s and not self._silent:
            self._silent = True
            _log.warning("no sample for %.1f s", silence_s)
            self._outlets.report(lsl_clock_s(), "device_silent", {"seconds": round(silence_s, 3)})

    def _report_losses(self) -> None:
        now_s = time.monotonic()
        if self._report.lost_samples > self._reported_lost and now_s - self._reported_mono_s > REPORT_EVERY_S:
            _log.warning(
                "%d samples were lost on the way from the device",
                self._report.lost_samples - self._reported_lost,
            )
            self._reported_mono_s, self._reported_lost = now_s, self._report.lost_samples

    def _reconnect(self, reason: str, stop: threading.Event) -> None:
        """Let go of a lost device and wait for it to be back."""
        _log.warning("the device is lost: %s; nothing is sent until it is back", reason)
        self._outlets.report(lsl_clock_s(), "device_lost", {"reason": reason})
        self._device.close()
        # What has not got its time stamps yet can no longer get them.
        self._held = []
        self._clock.reset()
        lost_mono_s = time.monotonic()
        while not stop.is_set():
            try:
                if not connect_device(self._device, CONNECT_SLICE_S, stop):
                    return
            except StreamLostError as error:
                _log.debug("still away: %s", error)
                stop.wait(RETRY_S)
                continue
            away_s = time.monotonic() - lost_mono_s
            _log.info("the device is back after %.1f s", away_s)
            self._outlets.report(lsl_clock_s(), "device_back", {"away_s": round(away_s, 3)})
            self._report.reconnects += 1
            self._heard_mono_s, self._silent = time.monotonic(), False
            return
