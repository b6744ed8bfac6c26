"""How hard simulated wearers are: within a session, an hour later, with the sleeve put on anew, and impaired."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.simple_classifier import (
    Windows,
    band_passed,
    held_out_accuracy,
    log_rms_windows,
    transferred_accuracy,
)
from calibration.protocol import CueSchedule
from emg_acquisition.arrays import Float32Array
from emg_acquisition.events import REST
from emg_acquisition.recording.session import Trial
from simulation.forearm.body import draw_traits_of
from simulation.forearm.impairment import Impairment
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer

# The longest reaction and ramp, and the filter behind them; a trial ends with its cue.
MARGINS_S = (0.65, 0.0)
# After an hour of trials: the sleeve has crept, its contacts and the muscles are not what they were.
HOUR_LATER = {"session": 1, "worn_min": 60.0, "fatigue": 0.3}


@dataclass(frozen=True)
class Protocol:
    """What each recording consists of: repetitions of every gesture, seconds of hold and of rest."""

    repetitions: int = 8
    hold_s: float = 2.0
    rest_s: float = 1.0


@dataclass(frozen=True)
class Difficulty:
    """Balanced accuracy of single 200 ms windows for one wearer.

    Parameters
    ----------
    seed : int
        The wearer.
    skill : float
        As drawn, 0 to 1.
    within, hour_later, new_donning : float
        On held-out repetitions; of the first session's classifier after an hour and after a new donning.
    impaired : dict of str to float
        Within a session, were the wearer impaired at a level.
    """

    seed: int
    skill: float
    within: float
    hour_later: float
    new_donning: float
    impaired: dict[str, float]


def measure_wearer(
    settings: WearerSettings, impairments: tuple[Impairment, ...], protocol: Protocol
) -> Difficulty:
    """Let a wearer do the protocol under every condition and classify each recording's windows."""
    first = recorded_windows(settings, protocol)
    gestures = len(SimulatedWearer(settings).gestures)

    def transferred(other: WearerSettings) -> float:
        return transferred_accuracy(first, recorded_windows(other, protocol), gestures)

    return Difficulty(
        seed=settings.seed,
        skill=draw_traits_of(settings).skill,
        within=held_out_accuracy(first, gestures),
        hour_later=transferred(replace(settings, **HOUR_LATER)),  # type: ignore[arg-type]
        new_donning=transferred(replace(settings, donning=settings.donning + 1)),
        impaired={
            level: held_out_accuracy(
                recorded_windows(replace(settings, impairment=level), protocol), gestures
            )
            for level in impairments
        },
    )


def recorded_windows(settings: WearerSettings, protocol: Protocol) -> Windows:
    """Return the windows of one recording."""
    emg_uv, trials, gestures = play(settings, protocol)
    return log_rms_windows(band_passed(emg_uv, settings.fs_hz), settings.fs_hz, trials, gestures, MARGINS_S)


def play(settings: WearerSettings, protocol: Protocol) -> tuple[Float32Array, list[Trial], tuple[str, ...]]:
    """Let a wearer do the protocol; return EMG (µV), trials and gestures."""
    gestures = SimulatedWearer(settings).gestures
    schedule = CueSchedule(
        gestures=tuple(name for name in gestures if name != REST),
        repetitions=protocol.repetitions,
        hold_s=protocol.hold_s,
        rest_s=protocol.rest_s,
        seed=10 * settings.donning + settings.session,
    )
    wearer = SimulatedWearer(settings, schedule.cues())
    emg_uv = wearer.read(round(schedule.seconds * settings.fs_hz))
    return emg_uv, list(_trials(wearer, len(emg_uv))), gestures


def _trials(wearer: SimulatedWearer, n_samples: int) -> Iterator[Trial]:
    cues = wearer.events_until(n_samples)
    ends = [cue.sample_index for cue in cues[1:]] + [n_samples]
    for cue, stop in zip(cues, ends, strict=True):
        fields = cue.fields
        yield Trial(fields["gesture"], fields["repetition"], fields["trial"], cue.sample_index, stop)
