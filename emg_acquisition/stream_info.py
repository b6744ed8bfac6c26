"""What an EMG, an Aux or a Gesture stream declares."""

from dataclasses import dataclass

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid

EMG_TYPE = "EMG"
GESTURE_TYPE = "Gesture"
EVENTS_TYPE = "Markers"
AUX_TYPE = "Aux"
# What a bridge commands, as numbers, and what it received, as text; see `robot_bridge.journal_stream`.
COMMAND_TYPE = "Command"
JOURNAL_TYPE = "BridgeJournal"
N_GESTURE_FIXED = 4  # gesture_index, confidence, effort, quality come before the probabilities


def aux_source_id(emg_source_id: str) -> str:
    """Return the ``source_id`` of the auxiliary channels that go with an EMG stream."""
    return f"{emg_source_id}-aux"


def events_source_id(source_id: str) -> str:
    """Return the ``source_id`` of the events that go with a stream."""
    return f"{source_id}-events"


@dataclass(frozen=True)
class EmgStreamInfo:
    """An EMG stream: float32 microvolts at a regular rate, one channel an electrode of its grid.

    Parameters
    ----------
    name : str
        Stream name that people see.
    source_id : str
        Stable ``<device>-<serial>``.
    fs_hz : float
        Nominal sampling rate.
    grid : ElectrodeGrid
        Where channel 0..n-1 lie.
    channel_labels : tuple of str
        One label a channel, in channel order.
    manufacturer, model, serial_number, reference, filters : str
        As the amplifier declares them; empty where unknown.
    playback_speed : float
        1.0 but for a recording played faster: time stamps then advance by 1 / (fs_hz * playback_speed).
    arrival_stamps : bool
        Whether samples are stamped when they arrive at the sender, so that stamps jitter; otherwise they say when
        each sample was taken.
    """

    name: str
    source_id: str
    fs_hz: float
    grid: ElectrodeGrid
    channel_labels: tuple[str, ...]
    manufacturer: str = ""
    model: str = ""
    serial_number: str = ""
    reference: str = ""
    filters: str = ""
    playback_speed: float = 1.0
    arrival_stamps: bool = False

    def __post_init__(self) -> None:
        if len(self.channel_labels) != self.grid.n_channels:
            msg = (
                f"stream {self.name!r}: {len(self.channel_labels)} channel labels for a grid of "
                f"{self.grid.n_channels} electrodes"
            )
            raise InputError(msg)
        if not self.fs_hz > 0 or not self.playback_speed > 0:
            msg = f"stream {self.name!r}: rate and speed must be positive, not {self.fs_hz}, {self.playback_speed}"
            raise InputError(msg)

    @property
    def n_channels(self) -> int:
        """Number of EMG channels."""
        return len(self.channel_labels)

    @property
    def sample_interval_s(self) -> float:
        """Seconds between the time stamps of neighbouring samples."""
        return 1.0 / (self.fs_hz * self.playback_speed)


@dataclass(frozen=True)
class AuxChannel:
    """One auxiliary channel: a label, what it is (``counter``, ``trigger``, ``quaternion``, ...) and its unit."""

    label: str
    kind: str
    unit: str = "none"


@dataclass(frozen=True)
class AuxStreamInfo:
    """The auxiliary channels of an amplifier: sampled with the EMG, never scaled as EMG.

    Parameters
    ----------
    name : str
        Stream name that people see.
    source_id : str
        The EMG stream's with ``-aux`` behind it.
    fs_hz : float
        Nominal sampling rate, that of the EMG.
    channels : tuple of AuxChannel
        At least one.
    """

    name: str
    source_id: str
    fs_hz: float
    channels: tuple[AuxChannel, ...]

    def __post_init__(self) -> None:
        if not self.channels or not self.fs_hz > 0:
            msg = f"stream {self.name!r}: it needs a channel and a positive rate, not {self.fs_hz}"
            raise InputError(msg)

    @property
    def n_channels(self) -> int:
        """Number of auxiliary channels."""
        return len(self.channels)


@dataclass(frozen=True)
class GestureStreamInfo:
    """A Gesture stream: one sample a hop, its gestures by name and the EMG stream that it decodes."""

    name: str
    source_id: str
    rate_hz: float
    gestures: tuple[str, ...]
    emg_source_id: str
    decoder_sha256: str = ""

    @property
    def n_channels(self) -> int:
        """Fixed channels and one probability a gesture."""
        return N_GESTURE_FIXED + len(self.gestures)
