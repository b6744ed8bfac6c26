"""A decoder for the simulated wearer who makes the gestures of a campaign."""

from pathlib import Path

from simulation.forearm.settings import WearerSettings

REPETITIONS = 4


def wearer_decoder(out: Path, wearer_seed: int) -> Path:
    """Return the decoder in `out`; calibrate the simulated wearer and train it, where there is none yet."""
    decoder = out / "decoder.onnx"
    if decoder.exists():
        return decoder
    # Only here: what trains takes a second to load, too long for an error about a wrong option.
    from simulation.study.simulated_decoder import simulated_decoder  # noqa: PLC0415

    return simulated_decoder(out, WearerSettings(seed=wearer_seed), REPETITIONS, seed=wearer_seed)
