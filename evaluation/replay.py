"""A recorded session through a decoder, as fast as it goes, on the code path of a live session."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from decoding.decoder_file import DecoderFile
from decoding.pipeline import DecoderPipeline
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.events import DECODING
from emg_acquisition.recording.session import EmgRows, GestureRecording, RecordedSession, pieces
from emg_acquisition.stream_info import N_GESTURE_FIXED
from emg_acquisition.streams.chunks import ChunkSplitter

CHUNK_S = 1.0
# A recording keeps the stamps that the live decoder saw, to the last bits of a double.
SAME_SAMPLE_S = 1e-6
# Between two decisions of a decoder that was not interrupted there is one hop.
BREAK_HOPS = 1.5


@dataclass(frozen=True)
class Replay:
    """Every decision of a replay.

    Parameters
    ----------
    sample_index : ndarray, shape (n_decisions,)
        Newest EMG sample of each decision, counted in the recording.
    values : ndarray, shape (n_decisions, 4 + n_gestures)
        As a Gesture stream carries them.
    t_lsl_s : ndarray, shape (n_decisions,)
        LSL time of that newest sample.
    real_time_factor : float
        Recorded seconds a second of computing.
    identical_to_recording : bool or None
        Whether the decisions recorded live are these, bit for bit; None where none were recorded, or where the
        recording began after the decoder did.
    not_compared : int
        How many of the last recorded decisions that leaves out: made by a decoder that was started again, in a
        recording that ended before it reported since when it decodes. None of them is among those compared.
    """

    sample_index: IntArray
    values: Float32Array
    t_lsl_s: Float64Array
    real_time_factor: float
    identical_to_recording: bool | None
    not_compared: int = 0

    @property
    def gesture_index(self) -> IntArray:
        """What was decided: ndarray, shape (n_decisions,); -1 for no decision."""
        return self.values[:, 0].astype(np.int64)


def replay_session(
    session: RecordedSession, decoder: DecoderFile, progress: Callable[[str, float], None] | None = None
) -> Replay:
    """Decode a whole session.

    Where the session was decoded live, replay restarts at each sample at which the live decoder reported that it
    did (at its start, after a gap, after a restart), so that the two can be compared hop by hop. A session that
    was opened (`open_session`) rather than loaded is read second by second and never held whole.

    Raises
    ------
    DecoderMismatchError
        If the decoder is for another grid, rate or channel order.
    """
    pipeline = DecoderPipeline(decoder, session.emg.info)
    begins = _begins(session)
    started = time.perf_counter()
    indices, t_lsl_s, values = _decode(session.emg, begins, pipeline, progress)
    took_s = time.perf_counter() - started
    emg = session.emg
    recorded_s = (len(emg.t_lsl_s) - begins[0]) / emg.info.fs_hz
    return Replay(indices, values, t_lsl_s, recorded_s / took_s, *_compare(session, values, t_lsl_s))


def _since(session: RecordedSession) -> list[float]:
    """LSL times of the samples at which the live decoder began or restarted."""
    return sorted(
        {float(event.fields["since_t_lsl_s"]) for event in session.events if event.kind == DECODING}
    )


def _begins(session: RecordedSession) -> list[int]:
    """Find the samples at which to begin; the recording's first where it was not decoded live."""
    sent_s = session.emg.stamps_as_sent_s
    begins = {_at(sent_s, t_lsl_s) for t_lsl_s in _since(session)}
    return sorted(begin for begin in begins if begin < len(sent_s)) or [0]


def _at(sent_s: Float64Array, t_lsl_s: float) -> int:
    """Find the sample that was sent with a stamp; the next one where it was not recorded."""
    same = np.flatnonzero(np.abs(sent_s - t_lsl_s) < SAME_SAMPLE_S)
    return int(same[0]) if len(same) else int(np.searchsorted(sent_s, t_lsl_s))


def _decode(
    emg: EmgRows,
    begins: list[int],
    pipeline: DecoderPipeline,
    progress: Callable[[str, float], None] | None,
) -> tuple[IntArray, Float64Array, Float32Array]:
    indices: list[int] = []
    stamps_s: list[float] = []
    values: list[Float32Array] = []
    sent_s, splitter = emg.stamps_as_sent_s, ChunkSplitter(emg.info)
    step = max(1, int(CHUNK_S * emg.info.fs_hz))
    for begin, end in itertools.pairwise([*begins, len(sent_s)]):
        pipeline.reset()
        splitter.reset()
        at = anchor = begin
        for block, emg_uv in pieces(emg, begin, end, step):
            for chunk in splitter.split(emg_uv, sent_s[block]):
                if chunk.gap_before_s != 0:  # also where time stamps are no numbers
                    pipeline.reset()
                    anchor = at
                for decision in pipeline.process(chunk.emg_uv):
                    index = anchor + decision.sample_index
                    indices.append(index)
                    stamps_s.append(float(chunk.t_lsl_s[index - at]))
                    values.append(decision.to_values())
                at += chunk.n_samples
            if progress is not None:
                progress("decoding", block.stop / len(sent_s))
    width = N_GESTURE_FIXED + len(pipeline.gestures)
    return (
        np.array(indices, dtype=np.int64),
        np.array(stamps_s, dtype=np.float64),
        np.array(values, dtype=np.float32).reshape(-1, width),
    )


def _compare(
    session: RecordedSession, values: Float32Array, t_lsl_s: Float64Array
) -> tuple[bool | None, int]:
    """Whether each recorded decision was made again, bit for bit (None: cannot be known), and how many are left out."""
    recorded, since = session.gestures, _since(session)
    begun_before = bool(since) and since[0] < session.emg.stamps_as_sent_s[0] - SAME_SAMPLE_S
    if recorded is None or not since or begun_before or len(recorded.t_lsl_s) == 0:
        return None, 0
    same = _same(recorded, values, t_lsl_s)
    if same.all():
        return True, 0
    restarted = _restarted_unreported(session, recorded)
    return bool(restarted > 0 and same[:restarted].all()), len(same) - restarted


def _same(recorded: GestureRecording, values: Float32Array, t_lsl_s: Float64Array) -> npt.NDArray[np.bool_]:
    """Which recorded decisions are among those made again: shape (n_recorded,)."""
    places = np.searchsorted(t_lsl_s, recorded.t_lsl_s - SAME_SAMPLE_S)
    there = places < len(t_lsl_s)
    same = np.zeros(len(places), dtype=bool)
    found = places[there]
    same_times = np.abs(t_lsl_s[found] - recorded.t_lsl_s[there]) < SAME_SAMPLE_S
    same[there] = same_times & (values[found] == recorded.values[there]).all(axis=1)
    return same


def _restarted_unreported(session: RecordedSession, recorded: GestureRecording) -> int:
    """Find the first decision of a decoder that was started again, and is not heard to say so before the end.

    It follows a break and whatever the decoder last said; the number of decisions where there is none.
    """
    reported_s = max(event.t_lsl_s for event in session.events if event.kind == DECODING)
    t_s = recorded.t_lsl_s
    breaks = np.flatnonzero(np.diff(t_s) * recorded.info.rate_hz > BREAK_HOPS) + 1
    unreported = breaks[t_s[breaks] > reported_s]
    return int(unreported[0]) if len(unreported) else len(t_s)
