"""The sleeves of a session: what each is decoded by, what its gestures mean, and where its EMG comes from."""

from dataclasses import dataclass
from pathlib import Path

from decoding.decoder_file import DecoderFile, load_decoder
from robot_bridge.gesture_map import GestureMap, load_gesture_maps
from robot_bridge.robot_model import load_robot_model
from teleoperation.settings import TeleopSettings


@dataclass(frozen=True)
class WornSleeve:
    """One sleeve.

    Parameters
    ----------
    path : Path
        Decoder file.
    decoder : DecoderFile
        What it holds.
    gesture_map : GestureMap
        What its gestures mean.
    emg_source_id : str or None
        Its EMG stream; None takes the only one that there is.
    """

    path: Path
    decoder: DecoderFile
    gesture_map: GestureMap
    emg_source_id: str | None

    @property
    def name(self) -> str:
        """As the gesture map names it; empty where there is only one."""
        return self.gesture_map.sleeve


def load_sleeves(settings: TeleopSettings) -> tuple[WornSleeve, ...]:
    """Load decoders and map, in the order of the map's sleeves.

    Raises
    ------
    InputError
        If a decoder or the map cannot be used, or they do not fit each other.
    """
    decoders = [load_decoder(path) for path in settings.decoder]
    gestures = [decoder.metadata.gestures for decoder in decoders]
    maps = load_gesture_maps(settings.map, gestures, load_robot_model())
    worn = zip(settings.decoder, decoders, maps, settings.emg_source_ids, strict=True)
    return tuple(WornSleeve(*one) for one in worn)


def of_sleeve_text(sleeve: str, text: str) -> str:
    """Say whose something is where there are several sleeves: ``left sleeve: no samples``."""
    return f"{sleeve} sleeve: {text}" if sleeve else text
