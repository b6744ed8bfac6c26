"""A decoder of a simulated wearer in one call, for whatever has to show or measure a session without a person."""

from pathlib import Path

from calibration.protocol import CueSchedule
from calibration.train import train_decoder
from calibration.train_settings import TrainSettings
from emg_acquisition.events import REST
from emg_acquisition.recording.session import load_session
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer
from simulation.study.simulated_session import record_schedule

# The simulated muscles follow a cue within this time.
AFTER_CUE_S = 0.6


def simulated_decoder(folder: Path, wearer: WearerSettings, repetitions: int = 3, *, seed: int = 1) -> Path:
    """Record a simulated wearer's calibration into `folder`, faster than real time, and train a decoder on it.

    A calibration that is there already, from a run that was interrupted, is taken; `seed` is that of the order of its
    gestures.

    Returns
    -------
    Path
        Of the decoder file, in `folder`.
    """
    gestures = tuple(name for name in SimulatedWearer(wearer).gestures if name != REST)
    schedule = CueSchedule(gestures=gestures, repetitions=repetitions, hold_s=2.0, rest_s=1.0, seed=seed)
    calibration = folder / "ses-calibration"
    if not calibration.exists():
        record_schedule(wearer, schedule, calibration, "SIM")
    settings = TrainSettings(after_cue_s=AFTER_CUE_S, before_next_s=0.0)
    return train_decoder(
        [load_session(calibration)], folder / "decoder.onnx", settings, lambda _step, _part: None
    ).decoder
