"""Short tones and the programs of a desktop that play them."""

import io
import wave
from collections.abc import Sequence

import numpy as np

PLAYERS = (("paplay",), ("pw-play", "-"), ("aplay", "-q"))
FS_HZ = 22050
TONE_S, FADE_S = 0.12, 0.01
LOUDNESS = 0.4


def tones(pitches_hz: Sequence[float]) -> bytes:
    """Return a WAV file of tones one after the other, faded so that they do not click."""
    t_s = np.arange(round(TONE_S * FS_HZ)) / FS_HZ
    fade = np.minimum(1.0, np.minimum(t_s, t_s[::-1]) / FADE_S)
    sound = np.concatenate([LOUDNESS * fade * np.sin(2 * np.pi * pitch_hz * t_s) for pitch_hz in pitches_hz])
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(FS_HZ)
        out.writeframes((32767 * sound).astype("<i2").tobytes())
    return file.getvalue()
