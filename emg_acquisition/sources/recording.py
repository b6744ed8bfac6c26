"""Plays a recorded session as a source, its cues included."""

from dataclasses import replace

import numpy as np

from emg_acquisition.arrays import Float32Array
from emg_acquisition.recording.session import Session
from emg_acquisition.source import SampleEvent
from emg_acquisition.stream_info import EmgStreamInfo

# What belongs to the wearer. What the robot did then, or that the stream ended, is no news of this playback.
PLAYED_KINDS = frozenset({"cue", "join", "intention"})


class RecordingSource:
    """The EMG of a session, sample after sample; gaps in its time stamps are played without a pause.

    Parameters
    ----------
    session : Session
        What to play.
    loop : bool
        Begin again at the end, for ever. Each round is shifted, per channel, to continue where the last one
        ended: the step between two electrode offsets would otherwise ring through every high-pass.
    """

    def __init__(self, session: Session, *, loop: bool = False) -> None:
        # Played again it is another stream: nothing bound to the amplifier may take it for the amplifier.
        emg = session.emg
        self._info = replace(emg.info, source_id=f"playback-{emg.info.source_id}", playback_speed=1.0)
        self._emg_uv = emg.emg_uv
        self._loop = loop
        # An event belongs to the sample whose time stamp is nearest.
        half_s = 0.5 * emg.info.sample_interval_s
        self._recorded = [
            SampleEvent(int(np.searchsorted(emg.t_lsl_s, event.t_lsl_s - half_s)), event.kind, event.fields)
            for event in session.events
            if event.kind in PLAYED_KINDS
        ]
        self._at = 0
        self._next_event = 0

    @property
    def info(self) -> EmgStreamInfo:
        """What the recording declared, under a ``source_id`` of its own."""
        return self._info

    def read(self, n_samples: int) -> Float32Array:
        """Return the next samples: ndarray, shape (n, n_channels), float32, µV; none after the end."""
        length = len(self._emg_uv)
        parts: list[Float32Array] = []
        while n_samples > 0:
            round_, offset = divmod(self._at, length)
            if round_ and not self._loop:
                break
            part = self._emg_uv[offset : offset + n_samples]
            if round_:
                part = part + round_ * (self._emg_uv[-1] - self._emg_uv[0])
            parts.append(part)
            self._at += len(part)
            n_samples -= len(part)
        if not parts:
            return np.zeros((0, self._info.n_channels), dtype=np.float32)
        return np.concatenate(parts)

    def events_until(self, sample_index: int) -> list[SampleEvent]:
        """Return the recorded events of samples before ``sample_index`` that were not returned before."""
        due: list[SampleEvent] = []
        while self._recorded:
            round_, which = divmod(self._next_event, len(self._recorded))
            event = self._recorded[which]
            at = event.sample_index + round_ * len(self._emg_uv)
            if at >= sample_index or (round_ and not self._loop):
                break
            due.append(SampleEvent(at, event.kind, event.fields))
            self._next_event += 1
        return due

    def close(self) -> None:
        """Nothing is held."""
