"""EMG of a simulated wearer: seeded, repeatable, in real time, steered by a schedule of cues or by live intentions."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from emg_acquisition.arrays import Float32Array, samples_from_ms
from emg_acquisition.cue_schedule import ScheduledCue
from emg_acquisition.errors import InputError
from emg_acquisition.source import SampleEvent
from emg_acquisition.stream_info import EmgStreamInfo
from simulation.forearm.amplifier import measured
from simulation.forearm.artefacts import Artefacts
from simulation.forearm.body import draw_body
from simulation.forearm.drive import Drive
from simulation.forearm.electrode_skin import ContactNoise
from simulation.forearm.fatigue import Fatigue
from simulation.forearm.muap import fine_factor
from simulation.forearm.population import Traits
from simulation.forearm.recruitment import MotorPool
from simulation.forearm.settings import WearerSettings
from simulation.forearm.synergies import own_synergies
from simulation.forearm.synthesis import Synthesis

# Samples come in blocks of this length whatever is asked for, and an intention begins with a block: what a
# reader gets then depends on when intentions came and never on how it reads.
BLOCK_MS = 10.0
MAX_EFFORT = 2.0
REACTION_S = (0.15, 0.35)
# From one recording to the next, posture and habit change the muscles' shares so much (logarithm).
SESSION_SD = 0.12


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
    schedule : sequence of ScheduledCue
        Cues to follow, each after a reaction time; the source ends with the last one. Empty: it rests until
        `set_intention` says otherwise, and never ends.

    Raises
    ------
    InputError
        If the schedule asks for a gesture that the wearer does not know, or the gestures' file is not right.
    """

    def __init__(self, settings: WearerSettings, schedule: Sequence[ScheduledCue] = ()) -> None:
        self._settings = settings
        self._info = _declare(settings)
        self._body = body = draw_body(settings)
        # Live and by schedule differ in all that is drawn: a decoder must not know the noise beforehand.
        drawn = np.random.SeedSequence(
            (settings.seed, settings.donning, settings.session, round(settings.worn_min), bool(schedule)),
            spawn_key=(2,),
        ).spawn(5)
        habit_rng = np.random.default_rng((settings.seed, settings.donning, settings.session))
        self._trial_rng, drive_rng, firing_rng, noise_rng, artefact_rng = map(np.random.default_rng, drawn)
        self._block = samples_from_ms(BLOCK_MS, settings.fs_hz)
        block_s = self._block / settings.fs_hz
        factor = fine_factor(settings.fs_hz)
        traits = _with_variability(body.traits, settings.trial_variability)
        synergies = own_synergies(body.synergies, SESSION_SD * settings.trial_variability, habit_rng)
        self._drive = Drive(synergies, traits, block_s, self._trial_rng, drive_rng)
        self._fatigue = Fatigue(settings.fatigue, len(body.synergies.shares[self.gestures[0]]), block_s)
        self._pool = MotorPool(body.units, self._block * factor, settings.fs_hz * factor, firing_rng)
        self._synthesis = Synthesis(body.muaps, factor, self._block, self._fatigue.levels[body.units.muscle])
        self._noise = ContactNoise(body.contacts, settings.fs_hz, self._block, noise_rng)
        self._artefacts = Artefacts(body.contacts, settings.fs_hz, settings.powerline_hz, artefact_rng)
        self._offset_uv = body.contacts.offset_uv.astype(np.float32)
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
        """The gestures that the wearer knows, ``rest`` first."""
        return self._body.synergies.gestures

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
        if not 0.0 <= effort <= MAX_EFFORT:
            msg = f"effort must lie between 0 and {MAX_EFFORT:g}, got {effort}"
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
        if gesture not in self.gestures:
            msg = f"the simulated wearer knows no gesture {gesture!r}; it knows {', '.join(self.gestures)}"
            raise InputError(msg)

    def _plan(self, schedule: Sequence[ScheduledCue]) -> None:
        start = 0
        for trial, cue in enumerate(schedule, start=1):
            self._check(cue.gesture)
            fields = {"gesture": cue.gesture, "repetition": cue.repetition, "trial": trial}
            self._events.append(SampleEvent(start, "cue", fields))
            length = samples_from_ms(1000.0 * cue.seconds, self._settings.fs_hz)
            reaction_s = min(self._trial_rng.uniform(*REACTION_S), 0.5 * cue.seconds) if trial > 1 else 0.0
            self._holds.append(_Hold(start + round(reaction_s * self._settings.fs_hz), cue.gesture, 1.0))
            start += length
        self._end = start

    def _next_block(self) -> Float32Array:
        self._begin_holds()
        excitation = self._drive.step()
        self._fatigue.step(excitation)
        self._synthesis.tire(self._fatigue.levels[self._body.units.muscle])
        emg_uv = self._synthesis.step(*self._pool.step(excitation))
        emg_uv += self._noise.step()
        emg_uv += self._artefacts.step(self._generated, self._block)
        emg_uv += self._offset_uv
        self._generated += self._block
        return measured(emg_uv)

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
        self._drive.begin(gesture, effort)
        self._artefacts.pull(self._generated)


def _with_variability(traits: Traits, factor: float) -> Traits:
    return replace(
        traits,
        effort_sd=factor * traits.effort_sd,
        muscle_sd=factor * traits.muscle_sd,
        wander_sd=factor * traits.wander_sd,
        confusion=factor * traits.confusion,
    )


def _declare(settings: WearerSettings) -> EmgStreamInfo:
    return EmgStreamInfo(
        name="Simulated wearer",
        source_id=settings.source_id,
        fs_hz=settings.fs_hz,
        grid=settings.grid,
        channel_labels=tuple(f"E{channel + 1}" for channel in range(settings.grid.n_channels)),
        manufacturer="hdemg-teleop",
        model="simulated forearm",
        serial_number=str(settings.seed),
        reference="elbow" if settings.montage == "monopolar" else f"pairs {settings.pair_mm:g} mm apart",
        filters="none",
    )
