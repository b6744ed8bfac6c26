"""The wireless probes of OT Bioelettronica: what each sends, alone or through a SyncStation."""

from dataclasses import dataclass

from emg_acquisition.errors import InputError
from emg_acquisition.sources.otb_frames import AuxColumn
from emg_acquisition.sources.otb_session import check_choice
from emg_acquisition.stream_info import AuxChannel

N_PROBE_AUX = 6
TEST_RAMPS_MODE = 3


@dataclass(frozen=True)
class ProbeKind:
    """A kind of probe.

    Parameters
    ----------
    model : str
        As its maker calls it.
    n_emg : int
        Electrodes.
    lsb_nv : dict of int to float
        Nanovolts of one count, by gain.
    """

    model: str
    n_emg: int
    lsb_nv: dict[int, float]


MUOVI_LSB_NV = {8: 286.1, 4: 572.2}
PROBES = {
    "muovi": ProbeKind("Muovi", 32, MUOVI_LSB_NV),
    "muovi-plus": ProbeKind("Muovi+", 64, MUOVI_LSB_NV),
    "due-plus": ProbeKind("Due+", 2, {8: 249.0}),
    "quattro-plus": ProbeKind("Quattro+", 4, {8: 249.0}),
}
# Mode bits of a gain; 3 makes test ramps.
GAIN_MODES = {8: 0, 4: 1}


def probe_aux(first_column: int, prefix: str = "") -> tuple[AuxColumn, ...]:
    """Return the six channels behind a probe's electrodes: quaternion, buffer and trigger, ramp."""
    channels = [AuxChannel(f"{prefix}Q{axis}", "quaternion") for axis in "WXYZ"]
    channels.append(AuxChannel(f"{prefix}buffer and trigger", "trigger"))
    channels.append(AuxChannel(f"{prefix}ramp", "counter"))
    return tuple(AuxColumn(first_column + i, channel) for i, channel in enumerate(channels))


def check_probe(probe: str, gain: int) -> None:
    """Refuse a probe or a gain that there is not.

    Raises
    ------
    InputError
        If ``probe`` is no probe, or has no such gain.
    """
    check_choice("probe", probe, PROBES)
    if gain not in PROBES[probe].lsb_nv:
        gains = " or ".join(map(str, PROBES[probe].lsb_nv))
        raise InputError(f"gain of a {PROBES[probe].model} must be {gains}, got {gain}")
