"""Sends EMG, auxiliary channels, decisions, events and what a bridge does over LSL."""

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
from emg_acquisition.streams.stream_xml import (
    aux_description,
    emg_description,
    gesture_description,
    labels_description,
)

# What an outlet of regular samples keeps for an inlet that does not read: more than any inlet of ours asks for.
BUFFER_S = 60
# LSL's own default, for irregular samples; it counts them by the hundred.
IRREGULAR_BUFFER = 360
# After this long without a new connection none is left that could end while its outlet is destroyed.
SETTLE_S = 0.05


def lsl_clock_s() -> float:
    """Return the LSL time now: seconds of this machine's monotonic clock."""
    return float(pylsl.local_clock())


class _SettledOutlet(pylsl.StreamOutlet):
    """LSL's outlet, which waits a moment before it goes.

    liblsl 1.18 crashes the process if a connection (such as an inlet's question for the header) ends in the very
    microseconds in which its outlet is destroyed: it then erases the session that it is walking over.
    """

    def __del__(self) -> None:
        time.sleep(SETTLE_S)
        super().__del__()


class Outlet:
    """A stream on LSL, whatever its samples are; the classes below declare theirs and say how it is sent.

    Parameters
    ----------
    name, source_id : str
        As people and programs know it.
    kind : str
        LSL type.
    n_channels : int
        Values of a sample.
    fs_hz : float
        Nominal rate; 0.0 for irregular samples.
    channel_format : str
        LSL's name of the values' type.
    description : iterable of Element
        What stands in the declaration's ``<desc>``.
    chunk_samples : int
        Samples usually sent together; 0 for any number.
    buffer : int
        What LSL keeps for an inlet that does not read, in seconds; in hundreds of samples where they are irregular.

    Raises
    ------
    InputError
        If there is no ``source_id``.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        source_id: str,
        *,
        n_channels: int = 1,
        fs_hz: float = pylsl.IRREGULAR_RATE,
        channel_format: str = "float32",
        description: Iterable[Element] = (),
        chunk_samples: int = 0,
        buffer: int = IRREGULAR_BUFFER,
    ) -> None:
        ensure_configured()
        if not source_id:
            msg = f"stream {name!r} needs a source_id: those that read it are bound to it"
            raise InputError(msg)
        stream = pylsl.StreamInfo(name, kind, n_channels, fs_hz, channel_format, source_id)
        _append(stream.desc(), description)
        self.n_channels = n_channels
        self._outlet = _SettledOutlet(stream, chunk_size=chunk_samples, max_buffered=buffer)

    def push_stamped(self, samples: Float32Array, t_lsl_s: Float64Array) -> None:
        """Send numbers, each sample with a time stamp of its own.

        Parameters
        ----------
        samples : ndarray, shape (n_samples, n_channels)
            May be empty.
        t_lsl_s : ndarray, shape (n_samples,)
            LSL time of each.

        Raises
        ------
        ValueError
            If the number of channels is not the stream's, or that of the stamps not that of the samples.
        """
        if samples.shape[1:] != (self.n_channels,):
            msg = f"samples have shape {samples.shape}, (n_samples, {self.n_channels}) is required"
            raise ValueError(msg)
        if len(t_lsl_s) != len(samples):
            msg = f"{len(t_lsl_s)} time stamps for {len(samples)} samples; each sample needs one"
            raise ValueError(msg)
        # One stamp a sample: LSL would otherwise derive them from the nominal rate, wrong at other speeds.
        self._outlet.push_chunk(samples, t_lsl_s.tolist())

    def have_consumers(self) -> bool:
        """Whether anybody reads the stream."""
        return bool(self._outlet.have_consumers())

    def wait_for_consumers(self, timeout_s: float) -> bool:
        """Wait until somebody reads the stream; False if nobody did within the time."""
        return bool(self._outlet.wait_for_consumers(timeout_s))

    def close(self) -> None:
        """End the stream; what an inlet has not yet fetched is lost to it."""
        del self._outlet


class EmgOutlet(Outlet):
    """An EMG stream.

    Parameters
    ----------
    info : EmgStreamInfo
        What it declares.
    chunk_samples : int
        Samples usually sent together.
    """

    def __init__(self, info: EmgStreamInfo, chunk_samples: int) -> None:
        super().__init__(
            info.name,
            EMG_TYPE,
            info.source_id,
            n_channels=info.n_channels,
            fs_hz=info.fs_hz,
            description=emg_description(info),
            chunk_samples=chunk_samples,
            # LSL counts seconds at the nominal rate; a stream played faster fills its buffer sooner.
            buffer=int(np.ceil(BUFFER_S * max(1.0, info.playback_speed))),
        )
        self.info = info

    def push(self, emg_uv: Float32Array, t_last_lsl_s: float) -> None:
        """Send samples, the newest of them taken at ``t_last_lsl_s``, the others regularly before it.

        Parameters
        ----------
        emg_uv : ndarray, shape (n_samples, n_channels), float32
            May be empty.
        t_last_lsl_s : float
            LSL time of the last sample.

        Raises
        ------
        ValueError
            If the number of channels is not the stream's.
        """
        before = np.arange(len(emg_uv) - 1, -1, -1, dtype=np.float64) * self.info.sample_interval_s
        self.push_stamped(emg_uv, t_last_lsl_s - before)


class AuxOutlet(Outlet):
    """The auxiliary channels of a device: sampled and stamped as its EMG, each in its own unit."""

    def __init__(self, info: AuxStreamInfo, chunk_samples: int) -> None:
        super().__init__(
            info.name,
            AUX_TYPE,
            info.source_id,
            n_channels=info.n_channels,
            fs_hz=info.fs_hz,
            description=aux_description(info),
            chunk_samples=chunk_samples,
            buffer=BUFFER_S,
        )


class GestureOutlet(Outlet):
    """A Gesture stream: one decision a sample."""

    def __init__(self, info: GestureStreamInfo) -> None:
        super().__init__(
            info.name,
            GESTURE_TYPE,
            info.source_id,
            n_channels=info.n_channels,
            fs_hz=info.rate_hz,
            description=gesture_description(info),
            chunk_samples=1,
            buffer=BUFFER_S,
        )

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
        self.push_stamped(values[np.newaxis], np.array([t_lsl_s]))


class EventOutlet(Outlet):
    """A Markers stream: one JSON object a sample, at irregular times."""

    def __init__(self, name: str, source_id: str) -> None:
        super().__init__(name, EVENTS_TYPE, source_id, channel_format="string")

    def push(self, event: Event) -> None:
        """Send an event with its own time stamp."""
        self._outlet.push_sample([event.to_json()], event.t_lsl_s)


class CommandOutlet(Outlet):
    """A Command stream: what a bridge commands, one row of numbers a command, at irregular times.

    Parameters
    ----------
    name, source_id : str
        As people and programs know it.
    channels : sequence of str
        What the numbers are; m, rad, m/s and rad/s.
    """

    def __init__(self, name: str, source_id: str, channels: Sequence[str]) -> None:
        super().__init__(
            name,
            COMMAND_TYPE,
            source_id,
            n_channels=len(channels),
            channel_format="double64",
            description=labels_description(channels),
        )

    def push(self, values: Sequence[float], t_lsl_s: float) -> None:
        """Send one command; NaN where it says nothing."""
        self._outlet.push_sample(list(values), t_lsl_s)


class JournalOutlet(Outlet):
    """A BridgeJournal stream: one text for what was noted together, at irregular times."""

    def __init__(self, name: str, source_id: str) -> None:
        super().__init__(name, JOURNAL_TYPE, source_id, channel_format="string")

    def push(self, text: str, t_lsl_s: float) -> None:
        """Send a text with the time of its newest entry."""
        self._outlet.push_sample([text], t_lsl_s)


def _append(target: pylsl.info.XMLElement, children: Iterable[Element]) -> None:
    for child in children:
        if len(child):
            _append(target.append_child(child.tag), child)
        else:
            target.append_child_value(child.tag, child.text or "")
