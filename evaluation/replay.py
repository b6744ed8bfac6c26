"""A recorded session through a decoder, as fast as it goes, on the code path of a live session."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from decoding.decoder_file import DecoderFile
from decoding.pipeline import DecoderPipeline
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.chunks import split_at_gaps
from emg_acquisition.recording.session import EmgRecording, Session

CHUNK_S = 1.0
# A recording keeps the stamps that the live decoder saw; half a sample tells neighbours apart at any rate.
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
        Whether the decisions recorded live are these, bit for bit; None where none were recorded.
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

    Where the session holds decisions made live, replay begins at the sample at which that decoder began, so that
    the two can be compared hop by hop.

    Raises
    ------
    DecoderMismatchError
        If the decoder is for another grid, rate or channel order.
    """
    pipeline = DecoderPipeline(decoder, session.emg.info)
    begin = _first_decoded_sample(session, pipeline.window_samples)
    started = time.perf_counter()
    indices, values = _decode(session.emg, begin, pipeline, progress)
    took_s = time.perf_counter() - started
    emg = session.emg
    t_lsl_s = emg.t_lsl_s[indices]
    recorded_s = (len(emg.t_lsl_s) - begin) / emg.info.fs_hz
    return Replay(indices, values, t_lsl_s, recorded_s / took_s, _identical(session, values, t_lsl_s))


def _first_decoded_sample(session: Session, window_samples: int) -> int:
    """Sample at which the live decoder began: its first decision came with the last sample of its first window."""
    if session.gestures is None or len(session.gestures.t_lsl_s) == 0:
        return 0
    first_newest = int(np.searchsorted(session.emg.t_lsl_s, session.gestures.t_lsl_s[0] - SAME_SAMPLE_S))
    return max(0, first_newest - window_samples + 1)


def _decode(
    emg: EmgRecording, begin: int, pipeline: DecoderPipeline, progress: Callable[[str, float], None] | None
) -> tuple[IntArray, Float32Array]:
    indices: list[int] = []
    values: list[Float32Array] = []
    step = max(1, int(CHUNK_S * emg.info.fs_hz))
    anchor, previous_t_lsl_s = begin, None
    for start in range(begin, len(emg.emg_uv), step):
        block = slice(start, start + step)
        for chunk in split_at_gaps(emg.emg_uv[block], emg.t_lsl_s[block], emg.info, previous_t_lsl_s):
            if chunk.gap_before_s > 0:
                pipeline.reset()
                anchor = int(np.searchsorted(emg.t_lsl_s, chunk.t_lsl_s[0]))
            for decision in pipeline.process(chunk.emg_uv):
                indices.append(anchor + decision.sample_index)
                values.append(decision.to_values())
            previous_t_lsl_s = float(chunk.t_lsl_s[-1])
        if progress is not None:
            progress("decoding", min(1.0, (start + step) / len(emg.emg_uv)))
    width = 4 + len(pipeline.gestures)
    return np.array(indices, dtype=np.int64), np.array(values, dtype=np.float32).reshape(-1, width)


def _identical(session: Session, values: Float32Array, t_lsl_s: Float64Array) -> bool | None:
    """Compare with what was recorded; a recorder that stopped first or began later holds a stretch of it."""
    recorded = session.gestures
    if recorded is None or len(recorded.t_lsl_s) == 0:
        return None
    first = int(np.searchsorted(t_lsl_s, recorded.t_lsl_s[0] - SAME_SAMPLE_S))
    stretch = slice(first, first + len(recorded.t_lsl_s))
    if len(values[stretch]) != len(recorded.values):
        return False
    same_times = np.abs(t_lsl_s[stretch] - recorded.t_lsl_s) < SAME_SAMPLE_S
    return bool(same_times.all() and np.array_equal(values[stretch], recorded.values))
