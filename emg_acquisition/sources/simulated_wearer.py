"""EMG of a simulated wearer: seeded, repeatable, quick, steered by a schedule of cues or by live intentions.

This is a simple generator: every muscle is band-limited noise whose strength follows the intention. It has
the amplitudes, the spectrum, the spatial patterns, the ramps and the variability that a decoder needs to be
exercised, but no motor units, no conduction along the fibres and no fatigue; a motor-unit model is a later
piece of work.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float32Array, samples_from_ms
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.sources.schedule import Cue
from emg_acquisition.sources.source import SampleEvent
from emg_acquisition.sources.wearer_anatomy import SYNERGIES, draw_anatomy
from emg_acquisition.sources.wearer_signal import Background, Drive
from emg_acquisition.stream_info import EmgStreamInfo

# Samples come in blocks of this length whatever is asked for, and an intention begins with a block: what a
# reader gets then depends on when intentions came and never on how it reads.
BLOCK_MS = 10.0
MIN_FS_HZ = 500.0


@dataclass(frozen=True)
class WearerSettings:
    """Who wears what.

    Parameters
    ----------
    seed : int
        The wearer: anatomy and noise.
    fs_hz : float
        Sampling rate, 500 Hz at least.
    rows, columns : int
        The grid; its rows run round the limb and close.
    pitch_mm : float
        Distance between neighbours; 15 mm times 16 rows is a forearm.
    powerline_hz : float
        50 or 60.
    effort_variability : float
        Standard deviation of the logarithm of the effort from trial to trial.
    """

    seed: int = 1
    fs_hz: float = 2000.0
    rows: int = 16
    columns: int = 4
    pitch_mm: float = 15.0
    powerline_hz: float = 60.0
    effort_variability: float = 0.12

    def __post_init__(self) -> None:
        if not self.fs_hz >= MIN_FS_HZ:
            msg = f"simulated wearer: fs_hz must be at least {MIN_FS_HZ:g}, got {self.fs_hz:g}"
            raise InputError(msg)
        if not self.effort_variability >= 0:
            msg = f"simulated wearer: effort_variability must not be negative, got {self.effort_variability}"
            raise InputError(msg)


@dataclass(frozen=True)
class _Hold:
    """What the wearer does from a sample on."""

    sample_index: int
    gesture: str
    effort: float


class SimulatedWearer:
    """A source of EMG that does what it is told.

    Parameters
    ----------
    settings : WearerSettings
        The wearer and the sleeve.
    schedule : sequence of Cue
        Cues to follow, each after a reaction time; the source ends with the last one. Empty: it rests until
        `set_intention` says otherwise, and never ends.

    Raises
    ------
    InputError
        If the schedule asks for a gesture that the wearer does not know.
    """

    def __init__(self, settings: WearerSettings, schedule: Sequence[Cue] = ()) -> None:
        self._settings = settings
        self._info = _declare(settings)
        seeds = np.random.SeedSequence(settings.seed).spawn(3)
        anatomy_rng, self._effort_rng, noise_rng = (np.random.default_rng(seed) for seed in seeds)
        self._anatomy = draw_anatomy(self._info.grid, anatomy_rng)
        self._background = Background(
            settings.fs_hz, settings.powerline_hz, self._info.n_channels, anatomy_rng, noise_rng
        )
        self._block = samples_from_ms(BLOCK_MS, settings.fs_hz)
        self._drive = Drive(
            samples_from_ms(anatomy_rng.uniform(150.0, 200.0), settings.fs_hz), len(SYNERGIES[REST])
        )
        self._lock = threading.Lock()
        self._intention: tuple[str, float] | None = None
        self._generated = 0
        self._left_over = np.zeros((0, self._info.n_channels), dtype=np.float32)
        self._events: list[SampleEvent] = []
        self._holds: list[_Hold] = []
        self._end: int | None = None
        if schedule:
            self._plan(schedule)

    @property
    def info(self) -> EmgStreamInfo:
        """What the source declares."""
        return self._info

    @property
    def gestures(self) -> tuple[str, ...]:
        """The gestures that the wearer knows."""
        return tuple(SYNERGIES)

    def set_intention(self, gesture: str, effort: float = 1.0) -> None:
        """Hold a gesture from the next block (10 ms) on; may be called from another thread.

        The source reports it as an ``intention`` event at the sample with which it begins.

        Parameters
        ----------
        gesture : str
            One of `gestures`.
        effort : float
            0 to 2; 1 is the wearer's usual one.

        Raises
        ------
        InputError
            If the gesture is unknown or the effort lies outside its range.
        """
        self._check(gesture)
        if not 0.0 <= effort <= 2.0:  # noqa: PLR2004 - twice the usual effort is as strong as anybody gets
            msg = f"effort must lie between 0 and 2, got {effort}"
            raise InputError(msg)
        with self._lock:
            self._intention = (gesture, effort)

    def read(self, n_samples: int) -> Float32Array:
        """Return the next samples: ndarray, shape (n, n_channels), float32, µV; none after the end."""
        first = self._generated - len(self._left_over)
        if self._end is not None:
            n_samples = min(n_samples, self._end - first)
        parts, have = [self._left_over], len(self._left_over)
        while have < n_samples:
            parts.append(self._next_block())
            have += self._block
        emg_uv = np.concatenate(parts) if len(parts) > 1 else parts[0]
        self._left_over = emg_uv[n_samples:]
        return np.ascontiguousarray(emg_uv[:n_samples])

    def events_until(self, sample_index: int) -> list[SampleEvent]:
        """Return cues and intentions of samples before ``sample_index`` that were not returned before."""
        due = [event for event in self._events if event.sample_index < sample_index]
        self._events = self._events[len(due) :]
        return due

    def close(self) -> None:
        """Nothing is held."""

    def _check(self, gesture: str) -> None:
        if gesture not in SYNERGIES:
            msg = f"the simulated wearer knows no gesture {gesture!r}; it knows {', '.join(SYNERGIES)}"
            raise InputError(msg)

    def _plan(self, schedule: Sequence[Cue]) -> None:
        start = 0
        for trial, cue in enumerate(schedule, start=1):
            self._check(cue.gesture)
            fields = {"gesture": cue.gesture, "repetition": cue.repetition, "trial": trial}
            self._events.append(SampleEvent(start, "cue", fields))
            length = samples_from_ms(1000.0 * cue.seconds, self._settings.fs_hz)
            reaction_s = min(self._effort_rng.uniform(0.15, 0.35), 0.5 * cue.seconds) if trial > 1 else 0.0
            self._holds.append(_Hold(start + round(reaction_s * self._settings.fs_hz), cue.gesture, 1.0))
            start += length
        self._end = start

    def _next_block(self) -> Float32Array:
        self._begin_holds()
        carriers, background = self._background.take(self._block)
        strength = self._drive.take(self._block)
        self._generated += self._block
        return ((carriers * strength) @ self._anatomy.mixing + background).astype(np.float32)

    def _begin_holds(self) -> None:
        while self._holds and self._holds[0].sample_index <= self._generated:
            hold = self._holds.pop(0)
            self._begin(hold.gesture, hold.effort)
        with self._lock:
            intention, self._intention = self._intention, None
        if intention is not None:
            gesture, effort = intention
            self._begin(gesture, effort)
            fields = {"gesture": gesture, "effort": effort}
            self._events.append(SampleEvent(self._generated, "intention", fields))
            self._events.sort(key=lambda event: event.sample_index)

    def _begin(self, gesture: str, effort: float) -> None:
        drive_uv = self._anatomy.drive_uv[gesture]
        spread = self._settings.effort_variability
        trial_effort = effort * self._effort_rng.lognormal(0.0, spread)
        own = self._effort_rng.lognormal(0.0, 0.5 * spread, len(drive_uv))
        self._drive.aim_at(drive_uv * trial_effort * own)


def _declare(settings: WearerSettings) -> EmgStreamInfo:
    grid = rectangular_grid(settings.rows, settings.columns, settings.pitch_mm, "rows")
    return EmgStreamInfo(
        name="Simulated wearer",
        source_id=f"simulated-{settings.seed}",
        fs_hz=settings.fs_hz,
        grid=grid,
        channel_labels=tuple(f"E{channel + 1}" for channel in range(grid.n_channels)),
        manufacturer="hdemg-teleop",
        model="simulated wearer",
        serial_number=str(settings.seed),
        reference="none (simulated)",
        filters="none",
    )
