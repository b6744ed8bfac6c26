"""The electrode grid: which channel lies where, in what pitch, and whether it closes around the limb."""

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from emg_acquisition.arrays import IntArray
from emg_acquisition.errors import InputError

Wrap = Literal["none", "rows", "columns"]
NO_ELECTRODE = -1


class GridSettings(BaseModel):
    """A grid as YAML or JSON declares it. ``channel_at`` is rows x columns, -1 where no electrode lies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    channel_at: tuple[tuple[int, ...], ...]
    pitch_mm: float
    wraps: Wrap = "none"


@dataclass(frozen=True)
class ElectrodeGrid:
    """Electrodes in rows and columns.

    Parameters
    ----------
    name : str
        What the grid is called, as people know it (``GR08MM1305``, ``flexemg-16x4``).
    channel_at : tuple of tuple of int
        0-based channel index at each row and column; -1 where no electrode lies.
    pitch_mm : float
        Distance between neighbours, in millimetres.
    wraps : {"none", "rows", "columns"}
        The axis that runs around the limb: ``"rows"`` means that the last row neighbours the first.

    Raises
    ------
    InputError
        If rows differ in length or a channel is missing or stands twice.
    """

    name: str
    channel_at: tuple[tuple[int, ...], ...]
    pitch_mm: float
    wraps: Wrap = "none"

    def __post_init__(self) -> None:
        widths = {len(row) for row in self.channel_at}
        if len(widths) != 1 or widths == {0}:
            msg = f"grid {self.name!r}: every row needs the same number of columns, got {sorted(widths)}"
            raise InputError(msg)
        self._check_channels()
        if not 0 < self.pitch_mm < math.inf:
            msg = f"grid {self.name!r}: pitch_mm must be positive and finite, got {self.pitch_mm}"
            raise InputError(msg)

    def _check_channels(self) -> None:
        present = Counter(c for row in self.channel_at for c in row if c != NO_ELECTRODE)
        wanted = range(max(1, present.total()))
        wrong = [f"{c} stands {n} times" for c, n in sorted(present.items()) if n > 1]
        wrong += [f"{c} is missing" for c in wanted if c not in present]
        wrong += [f"{c} is none of them" for c in sorted(present) if c not in wanted]
        if wrong:
            msg = (
                f"grid {self.name!r}: channels must be 0..{wanted[-1]}, each once (-1 where no electrode "
                f"lies), but {', '.join(wrong[:3])}{' ...' if len(wrong) > 3 else ''}"  # noqa: PLR2004
            )
            raise InputError(msg)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.channel_at)

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.channel_at[0])

    @property
    def n_channels(self) -> int:
        """Number of electrodes present."""
        return len(self.positions)

    @cached_property
    def positions(self) -> IntArray:
        """Row and column of each channel: ndarray, shape (n_channels, 2)."""
        places = {
            channel: (r, c)
            for r, row in enumerate(self.channel_at)
            for c, channel in enumerate(row)
            if channel != NO_ELECTRODE
        }
        return np.array([places[channel] for channel in range(len(places))], dtype=np.int64)

    @cached_property
    def neighbours(self) -> tuple[tuple[int, ...], ...]:
        """Channels next to each channel (up, down, left, right; across the seam where the grid wraps)."""
        return tuple(self._neighbours_of(int(r), int(c)) for r, c in self.positions)

    def around(self, places: int) -> IntArray:
        """Channel so many places on around the limb: along the axis that wraps, along rows where none does.

        The channel itself where none lies there.
        """
        return self.shifted(0, places) if self.wraps == "columns" else self.shifted(places, 0)

    def shifted(self, step_r: int, step_c: int) -> IntArray:
        """Channel so many rows and columns on, across the seam; the channel itself where none lies there."""
        found = [self._at(int(r) + step_r, int(c) + step_c) for r, c in self.positions]
        return np.array([own if to == NO_ELECTRODE else to for own, to in enumerate(found)], dtype=np.int64)

    def _at(self, row: int, column: int) -> int:
        """Channel at a place, across the seam where the grid wraps; -1 beyond the border or without electrode."""
        if self.wraps == "rows":
            row %= self.rows
        if self.wraps == "columns":
            column %= self.columns
        inside = 0 <= row < self.rows and 0 <= column < self.columns
        return self.channel_at[row][column] if inside else NO_ELECTRODE

    def _neighbours_of(self, row: int, column: int) -> tuple[int, ...]:
        found: list[int] = []
        for step_r, step_c in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            channel = self._at(row + step_r, column + step_c)
            if channel not in (NO_ELECTRODE, self.channel_at[row][column]) and channel not in found:
                found.append(channel)
        return tuple(found)

    def to_settings(self) -> dict[str, object]:
        """Plain values for YAML, JSON and the decoder file; `grid_from_settings` reads them back."""
        return {
            "name": self.name,
            "channel_at": [list(row) for row in self.channel_at],
            "pitch_mm": self.pitch_mm,
            "wraps": self.wraps,
        }


def grid_from_settings(settings: object, where: str = "grid") -> ElectrodeGrid:
    """Build a grid from plain values; `where` names the file in an error.

    Raises
    ------
    InputError
        If a key is unknown, missing or of the wrong type.
    """
    try:
        checked = GridSettings.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        msg = f"{where}: {path or 'value'}: {first['msg']}"
        raise InputError(msg) from error
    return ElectrodeGrid(checked.name, checked.channel_at, checked.pitch_mm, checked.wraps)


def rectangular_grid(rows: int, columns: int, pitch_mm: float, wraps: Wrap = "none") -> ElectrodeGrid:
    """Build a grid numbered along its rows, row after row."""
    layout = tuple(tuple(range(r * columns, (r + 1) * columns)) for r in range(rows))
    return ElectrodeGrid(f"{rows}x{columns}", layout, pitch_mm, wraps)
