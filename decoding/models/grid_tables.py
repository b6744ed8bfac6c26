"""An electrode grid as index tables, for networks over the map and for maps that are moved."""

from dataclasses import dataclass

import numpy as np
import torch

from emg_acquisition.grid import NO_ELECTRODE, ElectrodeGrid


@dataclass(frozen=True)
class GridTables:
    """Where channels lie on a map padded by one place on each side.

    Parameters
    ----------
    rows, columns : int
        Size of the map without padding.
    from_channels : torch.Tensor of int64, shape ((rows + 2) * (columns + 2),)
        Channel at each place of the padded map, across the seam where the grid wraps; n_channels where none lies.
    from_places : torch.Tensor of int64, shape ((rows + 2) * (columns + 2),)
        The same for a map's places, counted row by row; rows * columns beyond the border.
    steps : torch.Tensor of int64, shape (5, n_channels)
        Each channel itself, and its neighbours in the next row, the row before, the next column and the column
        before; itself where none lies there.
    """

    rows: int
    columns: int
    from_channels: torch.Tensor
    from_places: torch.Tensor
    steps: torch.Tensor

    @classmethod
    def of(cls, grid: ElectrodeGrid) -> "GridTables":
        """Make the tables of a grid."""
        channel_at = np.array(grid.channel_at, dtype=np.int64)
        channel_at[channel_at == NO_ELECTRODE] = grid.n_channels
        place_at = np.arange(channel_at.size, dtype=np.int64).reshape(channel_at.shape)
        return cls(
            grid.rows,
            grid.columns,
            torch.from_numpy(_padded(channel_at, grid, grid.n_channels)),
            torch.from_numpy(_padded(place_at, grid, channel_at.size)),
            torch.from_numpy(
                np.stack([grid.shifted(*step) for step in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))])
            ),
        )

    def moved(self, features: torch.Tensor, most: float, dead: float) -> torch.Tensor:
        """Move each window's map by a random fraction of up to `most` electrodes, and let electrodes die.

        Parameters
        ----------
        features : torch.Tensor, shape (n, n_channels, n_features)
        most : float
            Greatest movement along either axis, 0 to 1: between an electrode and the next the field is
            interpolated.
        dead : float
            Chance that an electrode is dead and the mean of its neighbours stands in.
        """
        steps = (2.0 * torch.rand(2, len(features)) - 1.0) * most
        for axis, step in enumerate(steps):
            to = torch.where(step[:, None] >= 0, self.steps[1 + 2 * axis], self.steps[2 + 2 * axis])
            share = step.abs()[:, None, None]
            other = torch.gather(features, 1, to[:, :, None].expand_as(features))
            features = (1.0 - share) * features + share * other
        gone = torch.rand(features.shape[:2]) < dead
        around = features[:, self.steps[1:]].mean(dim=1)
        return torch.where(gone[:, :, None], around, features)


def _padded(
    table: np.typing.NDArray[np.int64], grid: ElectrodeGrid, nothing: int
) -> np.typing.NDArray[np.int64]:
    padded = np.pad(table, 1, constant_values=nothing)
    if grid.wraps == "rows":
        padded[0, 1:-1], padded[-1, 1:-1] = table[-1], table[0]
    if grid.wraps == "columns":
        padded[1:-1, 0], padded[1:-1, -1] = table[:, -1], table[:, 0]
    return padded.ravel()
