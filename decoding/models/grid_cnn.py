"""A small convolutional network over the electrode grid, trained in seconds with augmented maps.

Augmentation covers what must not matter: where exactly the sleeve lies (maps moved by up to an electrode, also by
fractions), a dead electrode (its neighbours stand in, as `decoding.repair` has it), how hard the muscle pulls (one
gain for all logarithms), and noise.

The only file that imports torch: nothing but training a network needs it.

References
----------
Geng et al., *Gesture recognition by instantaneous surface EMG images*, Scientific Reports 6:36571, 2016: convolution
over electrode maps.
Cote-Allard et al., *Deep learning for electromyographic hand gesture signal classification using transfer learning*,
IEEE Trans. Neural Syst. Rehabil. Eng. 27(4), 2019: augmentation of armband data.
Smith, Topin, *Super-convergence*, 2018: the one-cycle learning rate.
"""

from dataclasses import dataclass

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from decoding.models.lda import MIN_SCALE, check_windows
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.grid import NO_ELECTRODE, ElectrodeGrid

CHANNELS = 16
KERNEL = 3


@dataclass(frozen=True)
class CnnTraining:
    """How the network is trained.

    Parameters
    ----------
    steps, batch, learning_rate, weight_decay, dropout
        Of AdamW under a one-cycle learning rate.
    gain : float
        Standard deviation of the common gain, in log units: efforts of one person differ by some 20 % (log 1.2).
    noise : float
        Standard deviation of noise, in standard deviations of a feature over the training.
    shift : float
        Greatest movement of the map, in electrodes: a sleeve within one donning moves less than its pitch.
    dead : float
        Chance that an electrode is dead.
    seed : int
        Of initial weights and augmentation.
    """

    steps: int = 150
    batch: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    dropout: float = 0.3
    gain: float = 0.2
    noise: float = 0.1
    shift: float = 1.0
    dead: float = 0.05
    seed: int = 0


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


class GridCnn(torch.nn.Module):
    """Two convolutions over the grid and a linear layer; normalisation and temperature inside.

    Parameters
    ----------
    mean, scale : torch.Tensor, shape (n_channels, n_features)
        Normalisation.
    tables : GridTables
        Where channels lie on the padded map.
    n_gestures : int
        Number of gestures.
    temperature : float
        Divides the logits.
    dropout : float
        Before the linear layer, in training.
    """

    def __init__(
        self,
        mean: torch.Tensor,
        scale: torch.Tensor,
        tables: GridTables,
        n_gestures: int,
        *,
        temperature: float = 1.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.tables = tables
        self.temperature = temperature
        self.first = torch.nn.Conv2d(mean.shape[1], CHANNELS, KERNEL)
        self.second = torch.nn.Conv2d(CHANNELS, CHANNELS, KERNEL)
        self.drop = torch.nn.Dropout(dropout)
        self.last = torch.nn.Linear(CHANNELS * tables.rows * tables.columns, n_gestures)

    @property
    def name(self) -> str:
        """What the model is called in a report."""
        return "cnn"

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Probabilities: (n, n_channels, n_features) -> (n, n_gestures)."""
        return torch.softmax(self.scores((features - self.mean) / self.scale) / self.temperature, dim=-1)

    def scores(self, normal: torch.Tensor) -> torch.Tensor:
        """Logits of normalised features."""
        padded = (self.tables.rows + 2, self.tables.columns + 2)
        hidden = torch.relu(self.first(_laid(normal.transpose(1, 2), self.tables.from_channels, padded)))
        hidden = torch.relu(self.second(_laid(hidden.flatten(2), self.tables.from_places, padded)))
        scores: torch.Tensor = self.last(self.drop(hidden.flatten(1)))
        return scores

    def logits(self, features: Float32Array) -> Float64Array:
        """Logits before temperature: ndarray, shape (n, n_gestures)."""
        with torch.no_grad():
            normal = (torch.from_numpy(features) - self.mean) / self.scale
            return np.asarray(self.scores(normal).double().numpy())

    def with_temperature(self, temperature: float) -> "GridCnn":
        """Return the same network with another temperature."""
        other = GridCnn(self.mean, self.scale, self.tables, self.last.out_features, temperature=temperature)
        other.load_state_dict(self.state_dict())
        other.eval()
        return other

    def to_graph(self) -> onnx.GraphProto:
        """Return the ONNX graph of `forward`, node by node."""
        n_channels, n_features = self.mean.shape
        rows, columns = self.tables.rows, self.tables.columns
        weights = {name: value.detach().numpy() for name, value in self.state_dict().items()}
        constants = {
            "mean": weights["mean"],
            "scale": weights["scale"],
            "nothing_in": np.zeros((1, n_features, 1), dtype=np.float32),
            "nothing": np.zeros((1, CHANNELS, 1), dtype=np.float32),
            "from_channels": self.tables.from_channels.numpy(),
            "from_places": self.tables.from_places.numpy(),
            "padded_in": np.array([1, n_features, rows + 2, columns + 2], dtype=np.int64),
            "padded": np.array([1, CHANNELS, rows + 2, columns + 2], dtype=np.int64),
            "places": np.array([1, CHANNELS, rows * columns], dtype=np.int64),
            "last": weights["last.weight"] / np.float32(self.temperature),
            "bias": weights["last.bias"] / np.float32(self.temperature),
            **{name: value for name, value in weights.items() if name.startswith(("first.", "second."))},
        }
        nodes = [
            helper.make_node("Sub", ["features", "mean"], ["centred"]),
            helper.make_node("Div", ["centred", "scale"], ["normal"]),
            helper.make_node("Transpose", ["normal"], ["by_feature"], perm=[0, 2, 1]),
            *_laid_nodes("by_feature", "nothing_in", "from_channels", "padded_in", "map_1"),
            helper.make_node("Conv", ["map_1", "first.weight", "first.bias"], ["conv_1"]),
            helper.make_node("Relu", ["conv_1"], ["relu_1"]),
            helper.make_node("Reshape", ["relu_1", "places"], ["by_place"]),
            *_laid_nodes("by_place", "nothing", "from_places", "padded", "map_2"),
            helper.make_node("Conv", ["map_2", "second.weight", "second.bias"], ["conv_2"]),
            helper.make_node("Relu", ["conv_2"], ["relu_2"]),
            helper.make_node("Flatten", ["relu_2"], ["flat"], axis=1),
            helper.make_node("Gemm", ["flat", "last", "bias"], ["logits"], transB=1),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ]
        initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
        taken = helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, n_channels, n_features])
        given = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, self.last.out_features])
        return helper.make_graph(nodes, self.name, [taken], [given], initializers)


def _padded(table: IntArray, grid: ElectrodeGrid, nothing: int) -> IntArray:
    padded = np.pad(table, 1, constant_values=nothing)
    if grid.wraps == "rows":
        padded[0, 1:-1], padded[-1, 1:-1] = table[-1], table[0]
    if grid.wraps == "columns":
        padded[1:-1, 0], padded[1:-1, -1] = table[:, -1], table[:, 0]
    return padded.ravel()


def _laid(values: torch.Tensor, table: torch.Tensor, padded: tuple[int, int]) -> torch.Tensor:
    """Lay (n, maps, n_places) out as padded maps; an index beyond the places means nothing lies there."""
    with_nothing = torch.cat([values, values.new_zeros(*values.shape[:2], 1)], dim=2)
    return with_nothing[:, :, table].reshape(*values.shape[:2], *padded)


def _laid_nodes(taken: str, nothing: str, table: str, shape: str, given: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("Concat", [taken, nothing], [f"{given}_all"], axis=2),
        helper.make_node("Gather", [f"{given}_all", table], [f"{given}_flat"], axis=2),
        helper.make_node("Reshape", [f"{given}_flat", shape], [given]),
    ]


def fit_grid_cnn(
    features: Float32Array,
    labels: IntArray,
    n_gestures: int,
    grid: ElectrodeGrid,
    *,
    logarithmic: tuple[bool, ...],
    training: CnnTraining | None = None,
) -> GridCnn:
    """Train on windows; the same seed gives the same network on the same device.

    Parameters
    ----------
    features : ndarray, shape (n_windows, n_channels, n_features)
        Finite.
    labels : ndarray of int64, shape (n_windows,)
        Gesture of each window; every gesture counts alike, whatever its share of the windows.
    n_gestures : int
        Number of gestures.
    grid : ElectrodeGrid
        Where the channels lie.
    logarithmic : tuple of bool
        Which features are logarithms of an amplitude or a power, to which a gain is an offset.
    training : CnnTraining, optional
        How.

    Raises
    ------
    InputError
        If a gesture has no window or a feature is not finite.
    """
    check_windows(features, labels, n_gestures)
    how = training or CnnTraining()
    tables = GridTables.of(grid)
    known = torch.from_numpy(features)
    mean = known.mean(dim=0)
    scale = torch.clamp(known.std(dim=0, correction=0), min=MIN_SCALE)
    # Seeded apart from the process's own generator, which stays as it was.
    with torch.random.fork_rng():
        torch.manual_seed(how.seed)
        network = GridCnn(mean, scale, tables, n_gestures, dropout=how.dropout)
        _train(network, known, torch.from_numpy(labels.astype(np.int64)), torch.tensor(logarithmic), how)
    network.cpu().eval()
    return network


def _train(
    network: GridCnn, known: torch.Tensor, labels: torch.Tensor, logarithmic: torch.Tensor, how: CnnTraining
) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).train()
    share = 1.0 / torch.bincount(labels)[labels].double()
    optimizer = torch.optim.AdamW(network.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=how.learning_rate, total_steps=how.steps)
    for _ in range(how.steps):
        drawn = torch.multinomial(share, how.batch, replacement=True)
        raw = network.tables.moved(known[drawn], how.shift, how.dead)
        raw = raw + how.gain * torch.randn(how.batch, 1, 1) * logarithmic
        normal = (raw.to(device) - network.mean) / network.scale
        normal = normal + how.noise * torch.randn(normal.shape).to(device)
        loss = torch.nn.functional.cross_entropy(network.scores(normal), labels[drawn].to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
