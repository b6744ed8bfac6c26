"""What a person chose of the signal path: a file of settings, and the mains frequency."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from decoding.signal_settings import SignalSettings
from emg_acquisition.settings_file import load_settings

POWERLINES = {"50": 50, "60": 60, "none": None}
# Training chooses both by held-out repetitions, unless the file has one of them.
_CHOSEN_BY_TRAINING = {"features", "spatial"}


@dataclass(frozen=True)
class SignalOptions:
    """The options ``--signal`` and ``--powerline``.

    Parameters
    ----------
    file : str
        YAML file of `SignalSettings`; empty for the defaults.
    powerline : {"", "50", "60", "none"}
        Mains frequency to notch out, in place of the file's; empty for the file's.
    """

    file: str = ""
    powerline: str = ""

    def settings(self) -> dict[str, SignalSettings]:
        """Return the arguments of `TrainSettings`: ``signal`` where the file names features or a spatial filter.

        Raises
        ------
        InputError
            If the file cannot be read or does not fit `SignalSettings`; names file and key.
        """
        found = load_settings(Path(self.file), SignalSettings) if self.file else SignalSettings()
        if self.powerline:
            found = found.model_copy(update={"powerline_hz": POWERLINES[self.powerline]})
        fixed = bool(_CHOSEN_BY_TRAINING & found.model_fields_set)
        return {"signal" if fixed else "base_signal": found}

    @property
    def arguments(self) -> str:
        """The options as they stand in a command, each with a space before it."""
        given = {"--signal": self.file, "--powerline": self.powerline}
        return "".join(f" {name} {shlex.quote(value)}" for name, value in given.items() if value)


DEFAULT_SIGNAL = SignalOptions()
