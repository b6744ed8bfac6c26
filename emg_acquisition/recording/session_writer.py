"""Writes a session folder from EMG, decisions and events that did not come over LSL: importers and simulators."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.events import Event
from emg_acquisition.recording.session import ProtocolInfo
from emg_acquisition.recording.session_file import SessionFile
from emg_acquisition.stream_info import AuxStreamInfo, EmgStreamInfo, GestureStreamInfo
from emg_acquisition.streams.stream_xml import (
    aux_header_xml,
    emg_header_xml,
    events_header_xml,
    gesture_header_xml,
)

CLOCK_OFFSET_EVERY_S = 5.0


def session_folder(root: Path, participant: str, session: str) -> Path:
    """Return where a session lies: ``ROOT/sub-P01/ses-20261123T101500``."""
    return root / f"sub-{participant}" / f"ses-{session}"


class SessionWriter:
    """A session folder while it is being written; append-only.

    Parameters
    ----------
    folder : Path
        Created; must not hold a recording yet.
    participant, session : str
        Codes of letters and digits.
    emg : EmgStreamInfo or sequence of EmgStreamInfo
        The EMG stream, or one a sleeve, each with a ``source_id`` of its own.
    protocol : ProtocolInfo, optional
        What the participant is asked to do.
    aux : sequence of AuxStreamInfo
        Auxiliary channels; those of an EMG stream have its ``source_id`` with ``-aux`` behind it.

    Raises
    ------
    InputError
        If the folder holds a recording or cannot be written, or a code has other characters; from every method
        if the disk refuses something.
    """

    def __init__(
        self,
        folder: Path,
        *,
        participant: str,
        session: str,
        emg: EmgStreamInfo | Sequence[EmgStreamInfo],
        protocol: ProtocolInfo | None = None,
        aux: Sequence[AuxStreamInfo] = (),
    ) -> None:
        infos = (emg,) if isinstance(emg, EmgStreamInfo) else tuple(emg)
        self._file = SessionFile(
            folder, participant=participant, session=session, emg=infos[0], protocol=protocol
        )
        self._first_emg = infos[0].source_id
        self._streams = {info.source_id: self._file.add_stream(emg_header_xml(info)) for info in infos}
        self._streams |= {info.source_id: self._file.add_stream(aux_header_xml(info)) for info in aux}
        self._next_offset_s = dict.fromkeys(self._streams.values(), -np.inf)
        self._events = self._file.add_stream(events_header_xml("Events", f"{self._first_emg}-events"))
        self._gestures: int | None = None
        self._file.save()

    def write_emg(self, emg_uv: Float32Array, t_lsl_s: Float64Array, *, source_id: str | None = None) -> None:
        """Append EMG, shape (n_samples, n_channels), µV, with an LSL time each, shape (n_samples,).

        Parameters
        ----------
        source_id : str, optional
            Which EMG stream; the first where it is not given.
        """
        self._write(self._streams[source_id or self._first_emg], emg_uv, t_lsl_s)

    def write_aux(self, values: Float32Array, t_lsl_s: Float64Array, *, source_id: str) -> None:
        """Append auxiliary channels, shape (n_samples, n_channels), with an LSL time each, shape (n_samples,)."""
        self._write(self._streams[source_id], values, t_lsl_s)

    def write_events(self, events: Sequence[Event]) -> None:
        """Append events."""
        t_s = np.array([event.t_lsl_s for event in events], dtype=np.float64)
        self._file.write_texts(self._events, [event.to_json() for event in events], t_s)

    def begin_gestures(self, gestures: GestureStreamInfo) -> None:
        """Take the decoder's stream in, once a session; a decoder may start after the recording."""
        self._gestures = self._file.add_stream(gesture_header_xml(gestures))
        self._file.set_decoder(gestures.decoder_sha256)
        self._file.save()

    def write_gestures(self, values: Float32Array, t_lsl_s: Float64Array) -> None:
        """Append decisions, shape (n, 4 + n_gestures), with an LSL time each, shape (n,).

        Raises
        ------
        ValueError
            If `begin_gestures` was not called before.
        """
        if self._gestures is None:
            msg = "this session has no Gesture stream: call begin_gestures first"
            raise ValueError(msg)
        self._file.write_samples(self._gestures, values, t_lsl_s)

    def close(self) -> None:
        """Close the recording and note its size and hash: from now on the session counts as complete."""
        self._file.close()

    def _write(self, stream: int, values: Float32Array, t_lsl_s: Float64Array) -> None:
        self._file.write_samples(stream, values, t_lsl_s)
        if len(t_lsl_s) and t_lsl_s[-1] >= self._next_offset_s[stream]:
            # All streams are stamped by one clock: there is no offset to measure.
            self._file.write_clock_offset(stream, float(t_lsl_s[-1]), 0.0)
            self._next_offset_s[stream] = float(t_lsl_s[-1]) + CLOCK_OFFSET_EVERY_S
