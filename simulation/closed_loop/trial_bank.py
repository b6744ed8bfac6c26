"""Recorded trials as a virtual user's muscle: real EMG of the gesture that is intended, joined without a step.

Of each recorded trial the held part is used. A gesture that begins, and one that lasts longer than its trial, fades
over from what was there to a trial drawn anew. Signals of two trials are not correlated, so their *powers* are
faded linearly: the noise of electrodes and amplifier stays as it is throughout, and muscle activity grows as the
square root of time, a little quicker than a muscle does. Electrodes drift by millivolts between trials, which would
make a step of every fade; so what lies below the band of EMG is taken off first, of the whole recording and without
delay. A trial may be played again within a moment, which no electrode does; a decoder rightly takes samples that come
again, bit for bit, for those of a stuck buffer, so a trace of noise, far below the amplifier's own, is added.

What a bank cannot show: patterns that muscles pass through on the way from one gesture to another, and how a person's
contraction changes when the robot does not obey.

References
----------
De Luca, Gilmore, Kuznetsov, Roy, *Filtering the surface EMG signal: movement artifact and baseline noise
contamination*, J. Biomech. 43, 2010: EMG above, motion of electrodes below some 20 Hz.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import signal

from calibration.train_settings import Margins
from calibration.training_set import trial_spans
from emg_acquisition.arrays import Float32Array
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import Session
from emg_acquisition.stream_info import EmgStreamInfo

AFTER_CUE_S = 1.0
BEFORE_NEXT_S = 0.5
# Within what the simulated wearers need to tense a muscle (0.1 to 0.3 s).
FADE_S = 0.15
BASELINE_HZ = 5.0
# A trial is entered in its first half, so that much of it is left.
LATEST_ENTRY = 0.5
TRACE_UV = 0.05
SHORTEST_S = 1.0


@dataclass(frozen=True)
class BankSettings:
    """Which part of which trials is used; margins in seconds, ``repetitions`` empty for all."""

    after_cue_s: float = AFTER_CUE_S
    before_next_s: float = BEFORE_NEXT_S
    repetitions: tuple[int, ...] = ()


class TrialBank:
    """Held parts of recorded trials, by gesture.

    Parameters
    ----------
    sessions : sequence of Session
        Of one sleeve and one donning.
    settings : BankSettings
        What is used of them.

    Raises
    ------
    InputError
        If the sessions are of different streams, or no trial is long enough.
    """

    def __init__(self, sessions: Sequence[Session], settings: BankSettings | None = None) -> None:
        settings = settings or BankSettings()
        self.info = _common_info(sessions)
        held: dict[str, list[Float32Array]] = {}
        for session in sessions:
            for gesture, emg_uv in _held_parts(session, settings):
                held.setdefault(gesture, []).append(emg_uv)
        self.trials = {gesture: tuple(parts) for gesture, parts in held.items()}
        if not self.trials:
            msg = (
                f"{', '.join(str(s.folder) for s in sessions)}: no trial is {SHORTEST_S:g} s long once "
                f"{settings.after_cue_s:g} s after its cue and {settings.before_next_s:g} s before the next are left "
                f"out"
            )
            raise InputError(msg)

    def require(self, gestures: Iterable[str]) -> None:
        """Refuse a bank in which one of the gestures has no trial.

        Raises
        ------
        InputError
            Naming the gestures that lack and those that are there.
        """
        missing = [gesture for gesture in gestures if gesture not in self.trials]
        if missing:
            msg = (
                f"the recorded trials hold no {', '.join(missing)}, which the gesture map needs; they hold "
                f"{', '.join(sorted(self.trials))}: add a session or choose another map"
            )
            raise InputError(msg)


def _common_info(sessions: Sequence[Session]) -> EmgStreamInfo:
    first = sessions[0].emg.info
    for session in sessions[1:]:
        info = session.emg.info
        if (info.fs_hz, info.grid, info.channel_labels) != (first.fs_hz, first.grid, first.channel_labels):
            msg = f"{session.folder} has another rate or grid than {sessions[0].folder}: name sessions of one sleeve"
            raise InputError(msg)
    return replace(first, playback_speed=1.0)


def _held_parts(session: Session, settings: BankSettings) -> Iterable[tuple[str, Float32Array]]:
    fs_hz = session.emg.info.fs_hz
    sos = signal.butter(2, BASELINE_HZ, "highpass", fs=fs_hz, output="sos")
    raw_uv = session.emg.emg_uv.astype(np.float64)
    emg_uv = signal.sosfiltfilt(sos, np.nan_to_num(raw_uv - np.nanmean(raw_uv, axis=0)), axis=0)
    for span in trial_spans(session, Margins(settings.after_cue_s, settings.before_next_s)):
        if settings.repetitions and span.trial.repetition not in settings.repetitions:
            continue
        if span.holds(round(SHORTEST_S * fs_hz)):
            yield span.trial.gesture, emg_uv[span.steady_begin : span.steady_end].astype(np.float32)


@dataclass
class _Voice:
    """A trial that is being played: where it is, and its share of the power, now."""

    emg_uv: Float32Array
    at: int
    power: float


class BankMuscle:
    """Plays the bank's trials of whatever gesture is intended.

    Parameters
    ----------
    bank : TrialBank
        The trials.
    seed : int
        Seed of which trial is drawn when.
    rest : str
        The gesture to begin with.
    """

    def __init__(self, bank: TrialBank, seed: int, rest: str) -> None:
        self._bank = bank
        self._rng = np.random.default_rng((seed, 0xBA2C))
        self._trace_rng = np.random.default_rng((seed, 0x7ACE))
        self._fade = max(1, round(FADE_S * bank.info.fs_hz))
        self._gesture = rest
        self._voices = [self._draw(rest, 1.0)]

    @property
    def info(self) -> EmgStreamInfo:
        """What the recordings declare."""
        return self._bank.info

    @property
    def gestures(self) -> tuple[str, ...]:
        """The gestures of which there are trials."""
        return tuple(self._bank.trials)

    def intend(self, gesture: str) -> None:
        """Make a gesture from now on.

        Raises
        ------
        InputError
            If there is no trial of it.
        """
        if gesture != self._gesture:
            self._bank.require([gesture])
            self._gesture = gesture
            self._voices.append(self._draw(gesture, 0.0))

    def read(self, n_samples: int) -> Float32Array:
        """Return the next samples: ndarray, shape (n_samples, n_channels), float32, µV."""
        emg_uv = self._trace_rng.standard_normal((n_samples, self.info.n_channels), dtype=np.float32)
        emg_uv *= np.float32(TRACE_UV)
        done = 0
        while done < n_samples:
            newest = self._voices[-1]
            if len(newest.emg_uv) - newest.at <= self._fade:
                self._voices.append(self._draw(self._gesture, 0.0))
                newest = self._voices[-1]
            # A newest voice is never played into what its own fading out will need.
            n = min(n_samples - done, len(newest.emg_uv) - newest.at - self._fade)
            emg_uv[done : done + n] += self._mixed(n)
            done += n
        return emg_uv

    def _mixed(self, n: int) -> Float32Array:
        steps = np.arange(1, n + 1) / self._fade
        newest = self._voices[-1]
        powers = [np.clip(v.power + (steps if v is newest else -steps), 0.0, 1.0) for v in self._voices]
        total = np.sum(powers, axis=0)
        mixed = np.zeros((n, self.info.n_channels), dtype=np.float32)
        for voice, power in zip(self._voices, powers, strict=True):
            part = voice.emg_uv[voice.at : voice.at + n]
            # One that has faded out may end within the block.
            gain = np.sqrt(power / total).astype(np.float32)[: len(part), np.newaxis]
            mixed[: len(part)] += gain * part
            voice.at, voice.power = voice.at + n, float(power[-1])
        self._voices = [voice for voice in self._voices if voice.power > 0.0]
        return mixed

    def _draw(self, gesture: str, power: float) -> _Voice:
        parts = self._bank.trials[gesture]
        emg_uv = parts[int(self._rng.integers(len(parts)))]
        room = max(1, round(LATEST_ENTRY * (len(emg_uv) - 2 * self._fade)))
        return _Voice(emg_uv, int(self._rng.integers(room)), power)
