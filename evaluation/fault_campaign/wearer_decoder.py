"""A decoder for the simulated wearer who makes the gestures of a campaign."""

from pathlib import Path

from calibration.protocol import CueSchedule
from calibration.train import TrainSettings, train_decoder
from emg_acquisition.events import REST
from emg_acquisition.recording.session import load_session
from emg_acquisition.sources.simulated_forearm.settings import WearerSettings
from emg_acquisition.sources.simulated_forearm.wearer import SimulatedWearer
from evaluation.simulated_session import record_schedule

REPETITIONS = 4
GESTURE_S = 2.0
REST_S = 1.0
# The wearer's ramp, the window and the dwell, as in the demo.
AFTER_CUE_S = 0.6


def wearer_decoder(out: Path, wearer_seed: int) -> Path:
    """Return the decoder in `out`; calibrate the simulated wearer and train it, where there is none yet."""
    decoder = out / "decoder.onnx"
    if decoder.exists():
        return decoder
    wearer = WearerSettings(seed=wearer_seed)
    schedule = CueSchedule(
        gestures=tuple(name for name in SimulatedWearer(wearer).gestures if name != REST),
        repetitions=REPETITIONS,
        hold_s=GESTURE_S,
        rest_s=REST_S,
        seed=wearer_seed,
    )
    calibration = out / "ses-calibration"
    if not calibration.exists():
        record_schedule(wearer, schedule, calibration, "FAULTS")
    settings = TrainSettings(after_cue_s=AFTER_CUE_S, before_next_s=0.0)
    return train_decoder([load_session(calibration)], decoder, settings, lambda _step, _part: None).decoder
