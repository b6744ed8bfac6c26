"""What Intan RHX sends and takes over TCP: commands in words, waveforms in blocks of 128 frames."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emg_acquisition.arrays import Float32Array, IntArray

MAGIC = 0x2EF07A08
FRAMES_PER_BLOCK = 128
MAGIC_BYTES = 4
TIME_STAMP_BYTES = 4
SAMPLE_BYTES = 2
UV_PER_COUNT = 0.195
ZERO_COUNT = 32768
# Only a semicolon ends a command: RHX takes what arrives together for one.
COMMAND_END = ";"
RETURN = "Return: "
COUNTER_RANGE = 2**32
# Each of the 65536 counts in microvolts, rounded once.
_UV_OF_COUNT = (UV_PER_COUNT * (np.arange(2**16, dtype=np.float64) - ZERO_COUNT)).astype(np.float32)


@dataclass(frozen=True)
class Blocks:
    """Whole blocks, taken apart.

    Parameters
    ----------
    magic : ndarray, shape (n_blocks,)
        What stands where each block should begin.
    counter : ndarray, shape (n_blocks, 128), int64
        RHX's time stamps: the number of each sample since it was started, 32 bits.
    emg_uv : ndarray, shape (n_blocks * 128, n_channels), float32
        Microvolts.
    """

    magic: IntArray
    counter: IntArray
    emg_uv: Float32Array


def command(*words: str) -> bytes:
    """Return the bytes of one command."""
    return (" ".join(words) + COMMAND_END).encode("ascii")


def channel_name(port: str, number: int) -> str:
    """Return RHX's own name of an amplifier channel, such as ``A-000``."""
    return f"{port}-{number:03d}"


def block_bytes(n_channels: int) -> int:
    """Return the length of a block."""
    return MAGIC_BYTES + FRAMES_PER_BLOCK * (TIME_STAMP_BYTES + SAMPLE_BYTES * n_channels)


def decode_blocks(data: bytes, n_channels: int) -> Blocks:
    """Take whole blocks apart; whether they begin where they should is for the caller to judge."""
    frame = np.dtype([("counter", "<u4"), ("counts", "<u2", (n_channels,))])
    block = np.dtype([("magic", "<u4"), ("frames", frame, (FRAMES_PER_BLOCK,))])
    blocks: npt.NDArray[np.void] = np.frombuffer(data, dtype=block)
    counts = blocks["frames"]["counts"].reshape(-1, n_channels)
    return Blocks(
        blocks["magic"].astype(np.int64), blocks["frames"]["counter"].astype(np.int64), _UV_OF_COUNT[counts]
    )


def channels_of_block(data: bytes) -> int | None:
    """Return how many channels a block has, by where the next one begins; None where that is not clear."""
    following = data.find(MAGIC.to_bytes(MAGIC_BYTES, "little"), MAGIC_BYTES)
    frame_bytes, rest = divmod(following - MAGIC_BYTES, FRAMES_PER_BLOCK)
    if following < 0 or rest or (frame_bytes - TIME_STAMP_BYTES) % SAMPLE_BYTES:
        return None
    return (frame_bytes - TIME_STAMP_BYTES) // SAMPLE_BYTES
