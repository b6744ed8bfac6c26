"""EMG, auxiliary channels, decisions and events onto LSL."""

import time
from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element

import numpy as np
import pylsl

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.stream_info import (
    AUX_TYPE,
    COMMAND_TYPE,
    EMG_TYPE,
    EVENTS_TYPE,
    GESTURE_TYPE,
    JOURNAL_TYPE,
    AuxStreamInfo,
    EmgStreamInfo,
    GestureStreamInfo,
)
from emg_acquisition.streams.lsl_config import ensure_configured
from emg_acquisition.streams.stream_xml import aux_description, emg_description, gesture_description

# What an outlet keeps for an inlet that does not read: more than any inlet of ours asks for.
BUFFER_S = 60
# After this long without a new connection none is left that could end while its outlet is destroyed.
SETTLE_S = 0.05


def lsl_clock_s() -> float:
    """Return the LSL time now: seconds of this machine's monotonic clock."""
    return float(pylsl.local_clock())


class _Outlet(pylsl.StreamOutlet):
    """LSL's outlet, which waits a moment before it goes.

    liblsl 1.18 crashes the process if a connection (such as an inlet's question for the header) ends in the very
    microseconds in which its outlet is destroyed: it then erases the session that it is walking over.
    """

    def __del__(self) -> None:
        time.sleep(SETTLE_S)
        super().__del__()


class EmgOutlet:
    """An EMG stream on LSL.

    Parameters
    ----------
    info : EmgStreamInfo
        What the stream declares.
    chunk_samples : int
        Samples sent together; what `push` is usually given.
    """

    def __init__(self, info: EmgStreamInfo, chunk_samples: int) -> None:
        ensure_configured()
        stream = _stream(info.name, EMG_TYPE, info.n_channels, info.fs_hz, "float32", info.source_id)
        _append(stream.desc(), emg_description(info))
        self.info = info
        # LSL counts its buffer in seconds at the nominal rate; a stream played faster fills it sooner.
        seconds = int(np.ceil(BUFFER_S * max(1.0, info.playback_speed)))
        self._outlet = _Outlet(stream, chunk_size=chunk_samples, max_buffered=seconds)

    def push(self, chunk: Float32Array, t_last_lsl_s: float) -> None:
        """Send samples whose newest one was taken at ``t_last_lsl_s``; the others lie regularly before it.

        Parameters
        ----------
        chunk : ndarray, shape (n_samples, n_channels), float32
            Microvolts; may be empty.
        t_last_lsl_s : float
            LSL time of the last sample.

        Raises
        ------
        ValueError
            If the number of channels is not the stream's.
        """
        before = np.arange(len(chunk) - 1, -1, -1, dtype=np.float64) * self.info.sample_interval_s
        self.push_stamped(chunk, t_last_lsl_s - before)

    def push_stamped(self, chunk: Float32Array, t_lsl_s: Float64Array) -> None:
        """Send samples that have time stamps of their own, as those of a device.

        Parameters
        ----------
        chunk : ndarray, shape (n_samples, n_channels), float32
            Microvolts; may be empty.
        t_lsl_s : ndarray, shape (n_samples,)
            LSL time of each.

        Raises
        ------
        ValueError
            If the number of channels is not the stream's, or that of the stamps not that of the samples.
        """
        _check_shape(chunk, len(t_lsl_s), self.info.n_channels)
        # One stamp a sample: LSL would otherwise derive them from the nominal rate, wrong at other speeds.
        self._outlet.push_chunk(chunk, t_lsl_s.tolist())

    def have_consumers(self) -> bool:
        """Whether anybody reads the stream."""
        return bool(self._outlet.have_consumers())

    def wait_for_consumers(self, timeout_s: float) -> bool:
        """Wait until somebody reads the stream; False if nobody did within the time."""
        return bool(self._outlet.wait_for_consumers(timeout_s))

    def close(self) -> None:
        """End the stream; what an inlet has not yet fetched is lost to it."""
        del self._outlet


class AuxOutlet:
    """The auxiliary channels of a device on LSL: sampled and stamped as its EMG, each in its own unit.

    Parameters
    ----------
    info : AuxStreamInfo
        What the stream declares.
    chunk_samples : int
        Samples sent together; what `push_stamped` is usually given.
    """

    def __init__(self, info: AuxStreamInfo, chunk_samples: int) -> None:
        ensure_configured()
        stream = _stream(info.name, AUX_TYPE, info.n_channels, info.fs_hz, "float32", info.source_id)
        _append(stream.desc(), aux_description(info))
        self.info = info
        self._outlet = _Outlet(stream, chunk_size=chunk_samples, max_buffered=BUFFER_S)

    def push_stamped(self, chunk: Float32Array, t_lsl_s: Float64Array) -> None:
        """Send samples, shape (n_samples, n_channels), with the LSL time of each, shape (n_samples,).

        Raises
        ------
        ValueError
            If the number of channels is not the stream's, or that of the stamps not that of the samples.
        """
        _check_shape(chunk, len(t_lsl_s), self.info.n_channels)
        self._outlet.push_chunk(chunk, t_lsl_s.tolist())

    def have_consumers(self) -> bool:
        """Whether anybody reads the stream."""
        return bool(self._outlet.have_consumers())

    def close(self) -> None:
        """End the stream."""
        del self._outlet


class GestureOutlet:
    """A Gesture stream on LSL: one decision a sample."""

    def __init__(self, info: GestureStreamInfo) -> None:
        ensure_configured()
        stream = _stream(info.name, GESTURE_TYPE, info.n_channels, info.rate_hz, "float32", info.source_id)
        _append(stream.desc(), gesture_description(info))
        self.info = info
        self._outlet = _Outlet(stream, chunk_size=1, max_buffered=BUFFER_S)

    def push(self, values: Float32Array, t_lsl_s: float) -> None:
        """Send one decision.

        Parameters
        ----------
        values : ndarray, shape (4 + n_gestures,), float32
            gesture_index, confidence, effort, quality and the probabilities.
        t_lsl_s : float
            LSL time of the newest EMG sample in the decision's window.

        Raises
        ------
        ValueError
            If the number of values is not the stream's.
        """
        if values.shape != (self.info.n_channels,):
            msg = f"decision has shape {values.shape}, ({self.info.n_channels},) is required"
            raise ValueError(msg)
        self._outlet.push_chunk(values[np.newaxis], [t_lsl_s])

    def have_consumers(self) -> bool:
        """Whether anybody reads the stream."""
        return bool(self._outlet.have_consumers())

    def close(self) -> None:
        """End the stream."""
        del self._outlet


class EventOutlet:
    """A Markers stream on LSL: one JSON object a sample, at irregular times."""

    def __init__(self, name: str, source_id: str) -> None:
        ensure_configured()
        stream = _stream(name, EVENTS_TYPE, 1, pylsl.IRREGULAR_RATE, "string", source_id)
        self._outlet = _Outlet(stream)

    def push(self, event: Event) -> None:
        """Send an event with its own time stamp."""
        self._outlet.push_sample([event.to_json()], event.t_lsl_s)

    def have_consumers(self) -> bool:
        """Whether anybody reads the stream."""
        return bool(self._outlet.have_consumers())

    def wait_for_consumers(self, timeout_s: float) -> bool:
        """Wait until somebody reads the stream; False if nobody did within the time."""
        return bool(self._outlet.wait_for_consumers(timeout_s))

    def close(self) -> None:
        """End the stream."""
        del self._outlet


class CommandOutlet:
    """A Command stream on LSL: what a bridge commands, one row of numbers a command, at irregular times.

    Parameters
    ----------
    name, source_id : str
        As people and programs know it.
    channels : sequence of str
        What the numbers are; m, rad, m/s and rad/s.
    """

    def __init__(self, name: str, source_id: str, channels: Sequence[str]) -> None:
        ensure_configured()
        stream = _stream(name, COMMAND_TYPE, len(channels), pylsl.IRREGULAR_RATE, "double64", source_id)
        labels = stream.desc().append_child("channels")
        for channel in channels:
            labels.append_child("channel").append_child_value("label", channel)
        self._outlet = _Outlet(stream)

    def push(self, values: Sequence[float], t_lsl_s: float) -> None:
        """Send one command; NaN where it says nothing."""
        self._outlet.push_sample(list(values), t_lsl_s)

    def close(self) -> None:
        """End the stream."""
        del self._outlet


class JournalOutlet:
    """A BridgeJournal stream on LSL: one text for what was noted together, at irregular times."""

    def __init__(self, name: str, source_id: str) -> None:
        ensure_configured()
        stream = _stream(name, JOURNAL_TYPE, 1, pylsl.IRREGULAR_RATE, "string", source_id)
        self._outlet = _Outlet(stream)

    def push(self, text: str, t_lsl_s: float) -> None:
        """Send a text with the time of its newest entry."""
        self._outlet.push_sample([text], t_lsl_s)

    def have_consumers(self) -> bool:
        """Whether anybody reads the stream."""
        return bool(self._outlet.have_consumers())

    def close(self) -> None:
        """End the stream; what an inlet has not yet fetched is lost to it."""
        del self._outlet


def _check_shape(chunk: Float32Array, n_stamps: int, n_channels: int) -> None:
    if chunk.ndim != 2 or chunk.shape[1] != n_channels:  # noqa: PLR2004 - samples x channels
        msg = f"chunk has shape {chunk.shape}, (n_samples, {n_channels}) is required"
        raise ValueError(msg)
    if n_stamps != len(chunk):
        msg = f"{n_stamps} time stamps for {len(chunk)} samples; each sample needs one"
        raise ValueError(msg)


def _stream(  # noqa: PLR0917 - the fields of an LSL stream, in LSL's order
    name: str, kind: str, channels: int, fs_hz: float, channel_format: str, source_id: str
) -> pylsl.StreamInfo:
    if not source_id:
        msg = f"stream {name!r} needs a source_id: those that read it are bound to it"
        raise InputError(msg)
    return pylsl.StreamInfo(name, kind, channels, fs_hz, channel_format, source_id)


def _append(target: pylsl.info.XMLElement, children: Iterable[Element]) -> None:
    for child in children:
        if len(child):
            _append(target.append_child(child.tag), child)
        else:
            target.append_child_value(child.tag, child.text or "")
