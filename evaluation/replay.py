"""A recorded session through a decoder, as fast as it goes, on the code path of a live session."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from decoding.decoder_file import DecoderFile
from decoding.pipeline import DecoderPipeline
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.chunks import split_at_gaps
from emg_acquisition.events import DECODING
from emg_acquisition.recording.session import EmgRecording, Session
from emg_acquisition.stream_info import N_GESTURE_FIXED

CHUNK_S = 1.0
# A recording keeps the stamps that the live decoder saw, to the last bits of a double.
SAME_SAMPLE_S = 1e-6


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
    """

    sample_index: IntArray
    values: Float32Array
    t_lsl_s: Float64Array
    real_time_factor: float
    identical_to_recording: bool | None

    @property
    def gesture_index(self) -> IntArray:
        """What was decided: ndarray, shape (n_decisions,); -1 for no decision."""
        return self.values[:, 0].astype(np.int64)


def replay_session(
    session: Session, decoder: DecoderFile, progress: Callable[[str, float], None] | None = None
) -> Replay:
    """Decode a whole session.

    Where the session was decoded live, replay begins anew at each sample at which the live decoder said that it
    did (at its start, after a gap, after a restart), so that the two can be compared hop by hop.

    Raises
    ------
    DecoderMismatchError
        If the decoder is for another grid, rate or channel order.
    """
    pipeline = DecoderPipeline(decoder, session.emg.info)
    begins = _begins(session)
    started = time.perf_counter()
    indices, values = _decode(session.emg, begins, pipeline, progress)
    took_s = time.perf_counter() - started
    emg = session.emg
    recorded_s = (len(emg.t_lsl_s) - begins[0]) / emg.info.fs_hz
    t_lsl_s = emg.t_lsl_s[indices]
    return Replay(indices, values, t_lsl_s, recorded_s / took_s, _identical(session, values, t_lsl_s))


def _since(session: Session) -> list[float]:
    """LSL times of the samples at which the live decoder began or began anew."""
    return sorted(
        {float(event.fields["since_t_lsl_s"]) for event in session.events if event.kind == DECODING}
    )


def _begins(session: Session) -> list[int]:
    """Find the samples at which to begin; the recording's first where it was not decoded live."""
    times = np.array(_since(session)) - SAME_SAMPLE_S
    begins = np.unique(np.searchsorted(session.emg.t_lsl_s, times)).tolist()
    return [begin for begin in begins if begin < len(session.emg.t_lsl_s)] or [0]


def _decode(
    emg: EmgRecording,
    begins: list[int],
    pipeline: DecoderPipeline,
    progress: Callable[[str, float], None] | None,
) -> tuple[IntArray, Float32Array]:
    indices: list[int] = []
    values: list[Float32Array] = []
    step = max(1, int(CHUNK_S * emg.info.fs_hz))
    for begin, end in itertools.pairwise([*begins, len(emg.emg_uv)]):
        pipeline.reset()
        anchor, previous_t_lsl_s = begin, None
        for start in range(begin, end, step):
            block = slice(start, min(start + step, end))
            for chunk in split_at_gaps(emg.emg_uv[block], emg.t_lsl_s[block], emg.info, previous_t_lsl_s):
                if chunk.gap_before_s != 0:  # also where time stamps are no numbers
                    pipeline.reset()
                    anchor = int(np.searchsorted(emg.t_lsl_s, chunk.t_lsl_s[0]))
                for decision in pipeline.process(chunk.emg_uv):
                    indices.append(anchor + decision.sample_index)
                    values.append(decision.to_values())
                previous_t_lsl_s = float(chunk.t_lsl_s[-1])
            if progress is not None:
                progress("decoding", block.stop / len(emg.emg_uv))
    width = N_GESTURE_FIXED + len(pipeline.gestures)
    return np.array(indices, dtype=np.int64), np.array(values, dtype=np.float32).reshape(-1, width)


def _identical(session: Session, values: Float32Array, t_lsl_s: Float64Array) -> bool | None:
    """Whether each recorded decision was made again, bit for bit; None where that cannot be known."""
    recorded, since = session.gestures, _since(session)
    begun_before = bool(since) and since[0] < session.emg.t_lsl_s[0] - SAME_SAMPLE_S
    if recorded is None or not since or begun_before or len(recorded.t_lsl_s) == 0:
        return None
    places = np.searchsorted(t_lsl_s, recorded.t_lsl_s - SAME_SAMPLE_S)
    if len(t_lsl_s) == 0 or places[-1] >= len(t_lsl_s):
        return False
    same_times = np.abs(t_lsl_s[places] - recorded.t_lsl_s) < SAME_SAMPLE_S
    return bool(same_times.all() and np.array_equal(values[places], recorded.values))
