"""Command bytes and samples of OT Bioelettronica amplifiers: pure functions, no sockets.

Sources: the maker's TCP protocol documents and example scripts, as far as they are public. Golden bytes of those
are in the tests.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from emg_acquisition.arrays import Float32Array, Float64Array

CountArray = npt.NDArray[np.int32]
ByteOrder = Literal["big", "little"]

CRC8_MAXIM_REFLECTED = 0x8C
BITS_IN_BYTE = 8
SHORT_BYTES = 2


def crc8_maxim(data: bytes) -> int:
    """Return the CRC-8/MAXIM of ``data``: polynomial x^8+x^5+x^4+1, reflected, starting from zero."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(BITS_IN_BYTE):
            crc = (crc >> 1) ^ (CRC8_MAXIM_REFLECTED if crc & 1 else 0)
    return crc


def sessantaquattro_command(
    *, fsamp: int, nch: int, mode: int, high_resolution: bool, high_pass: bool, gain: int, go: bool
) -> bytes:
    """Return the two bytes, big-endian, that set a Sessantaquattro up and start (``go``) or stop it."""
    first = fsamp << 5 | nch << 3 | mode
    second = high_resolution << 7 | high_pass << 6 | gain << 4 | int(go)
    return bytes((first, second))


def muovi_command(*, emg: bool, mode: int, go: bool) -> bytes:
    """Return the byte that sets a Muovi, Muovi+, Due+ or Quattro+ up and starts or stops it."""
    return bytes((emg << 3 | mode << 1 | int(go),))


def syncstation_start(probes: Sequence[tuple[int, int]]) -> bytes:
    """Return the bytes that start a SyncStation.

    Parameters
    ----------
    probes : sequence of (index, mode)
        The probes that are to send EMG, by their index at the station.
    """
    body = bytes((len(probes) << 1 | 1, *(index << 4 | 1 << 3 | mode << 1 | 1 for index, mode in probes)))
    return body + bytes((crc8_maxim(body),))


def syncstation_stop() -> bytes:
    """Return the bytes that stop a SyncStation."""
    return bytes((0, crc8_maxim(b"\x00")))


def quattrocento_command(
    *, decimate: bool, fs_code: int, nch_code: int, acquire: bool, conf2: int, analog_out: int = 9
) -> bytes:
    """Return the 40 bytes that set a Quattrocento up and start (``acquire``) or stop it.

    Parameters
    ----------
    decimate : bool
        Let the amplifier sample at its full rate and decimate.
    fs_code, nch_code : int
        Codes of the rate and of the number of channels.
    acquire : bool
        False stops it; rate and channels are then zero, as the maker's own program sends them.
    conf2 : int
        Filters and detection, the same for every input.
    analog_out : int
        What goes to the analogue output; the maker's default.
    """
    first = 1 << 7
    if acquire:
        first |= decimate << 6 | fs_code << 3 | nch_code << 1 | 1
    # Eight IN and four MULTIPLE IN, three bytes each: muscle and sensor are only notes for the maker's program.
    inputs = bytes((0, 0, conf2)) * 12
    body = bytes((first, analog_out, 0)) + inputs
    return body + bytes((crc8_maxim(body),))


def counts_from_bytes(data: bytes, n_channels: int, sample_bytes: int, byte_order: ByteOrder) -> CountArray:
    """Return the counts in whole samples: ndarray, shape (n_samples, n_channels), int32.

    Parameters
    ----------
    data : bytes
        A whole number of samples, channel after channel, two's complement.
    n_channels : int
        Channels in one sample.
    sample_bytes : int
        2 or 3 bytes a count.
    byte_order : {"big", "little"}
        Which byte of a count comes first.
    """
    if sample_bytes == SHORT_BYTES:
        short = np.frombuffer(data, ">i2" if byte_order == "big" else "<i2")
        return short.reshape(-1, n_channels).astype(np.int32)
    raw = np.frombuffer(data, np.uint8).reshape(-1, n_channels, sample_bytes)
    if byte_order == "little":
        raw = raw[..., ::-1]
    # The count goes to the upper bytes of an int32; shifting it down again repeats its sign.
    wide = np.zeros((*raw.shape[:2], 4), np.uint8)
    wide[..., :sample_bytes] = raw
    counts: CountArray = wide.view(">i4")[..., 0].astype(np.int32) >> (BITS_IN_BYTE * (4 - sample_bytes))
    return counts


def scaled(counts: CountArray, unit_per_count: Float64Array) -> Float32Array:
    """Return counts times the unit of each channel, worked out in float64 and rounded once to float32.

    Parameters
    ----------
    counts : ndarray, shape (n_samples, n_channels), int32
        What the converter gave.
    unit_per_count : ndarray, shape (n_channels,), float64
        Microvolts, or another unit, of one count of each channel.
    """
    return (counts * unit_per_count).astype(np.float32)
