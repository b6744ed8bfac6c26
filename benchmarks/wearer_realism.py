"""The simulated forearm beside real recordings: the same figures of both, plots and a Markdown table.

``python benchmarks/wearer_realism.py DATA OUT``: DATA holds ``flexemg/``, ``grabmyo_p1s1/`` and ``libemg3dc_npz/``;
OUT receives the pictures and ``figures.json``; the table goes to standard output. Needs the extras ``train``,
``import`` and ``report``. For each data set four wearers are simulated with its grid, rate, montage and gestures.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from realism_recordings import Recording, flexemg, grabmyo, simulated, three_dc
from scipy import signal, stats

from benchmarks.simple_classifier import Windows, band_passed, held_out_accuracy, log_rms_windows
from emg_acquisition.recording.session import Trial

mpl.use("Agg")
from matplotlib import pyplot as plt

WEARERS = (0, 1, 2, 4)
BAND_HZ = (20.0, 400.0)
SLOPE_HZ = (150.0, 400.0)
STRONGEST = 8
DISTANCE_STEP_MM = 15.0
HUM_HZ = 2.5


@dataclass(frozen=True)
class Figures:
    """What is compared; amplitudes in µV (NaN where the unit is unknown), frequencies in Hz."""

    rest_uv: float
    best_uv: float
    typical_uv: float
    active_to_rest_db: float
    kurtosis: float
    median_hz: float
    mean_hz: float
    slope_db_octave: float
    neighbour_correlation: float
    between_trials: float
    within_trial: float
    accuracy: float


@dataclass(frozen=True)
class Curves:
    """What is drawn."""

    amplitude: tuple[np.ndarray, np.ndarray]
    spectrum: tuple[np.ndarray, np.ndarray]
    correlation: tuple[np.ndarray, np.ndarray]


LABELS = {
    "rest_uv": "RMS at rest, median channel (µV)",
    "best_uv": "RMS of a gesture's best channel, median gesture (µV)",
    "typical_uv": "RMS of the median channel, median gesture (µV)",
    "active_to_rest_db": "best channel over rest (dB)",
    "kurtosis": "excess kurtosis within 200 ms windows",
    "median_hz": "median frequency, strongest 8 (Hz)",
    "mean_hz": "mean frequency, strongest 8 (Hz)",
    "slope_db_octave": "slope of the spectrum, 150 to 400 Hz (dB/octave)",
    "neighbour_correlation": "correlation of nearest electrodes",
    "between_trials": "log-RMS between trials (SD)",
    "within_trial": "log-RMS of 200 ms windows within a trial (SD)",
    "accuracy": "LDA on log-RMS, single windows, held-out repetitions",
}


def main() -> None:
    """Compare each data set with as many simulated wearers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    figures = {}
    sets: dict[str, tuple[Callable[[Path], list[Recording]], bool]] = {
        "flexemg": (flexemg, False),
        "grabmyo": (grabmyo, False),
        "3dc": (three_dc, True),
    }
    for name, (load, differential) in sets.items():
        real = load(args.data)
        made = [simulated(real[0], seed, differential=differential) for seed in WEARERS]
        measured = {
            kind: [_measure(r) for r in recordings]
            for kind, recordings in (("real", real), ("simulated", made))
        }
        _plot(name, measured, args.out / f"realism_{name}.png")
        figures[name] = _print_table(name, {kind: [f for f, _ in of] for kind, of in measured.items()})
    (args.out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _measure(recording: Recording) -> tuple[Figures, Curves]:
    fs_hz = recording.fs_hz
    filtered = band_passed(recording.emg, fs_hz, BAND_HZ)
    windows = log_rms_windows(filtered, fs_hz, recording.trials, recording.gestures, recording.margins_s)
    of_gesture = {
        name: np.exp(windows.features[windows.labels == k].mean(axis=0))
        for k, name in enumerate(recording.gestures)
    }
    active = [name for name in recording.gestures if name != "rest"]
    scale = 1.0 if recording.unit_is_uv else np.nan
    rest = np.median(of_gesture["rest"]) if "rest" in of_gesture else np.nan
    best = np.median([of_gesture[name].max() for name in active])
    parts = _active_parts(recording, filtered, of_gesture)
    hertz, density = _spectrum(parts, fs_hz)
    inside = (hertz >= BAND_HZ[0]) & (hertz <= BAND_HZ[1])
    power = np.cumsum(density[inside])
    sloping = (hertz >= SLOPE_HZ[0]) & (hertz <= SLOPE_HZ[1])
    slope = np.polyfit(np.log2(hertz[sloping]), 10 * np.log10(density[sloping]), 1)[0]
    distance, correlation = _correlation(recording, filtered)
    values = _normalised(parts, fs_hz)
    between, within = _variability(windows, len(recording.gestures), recording.gestures)
    figures = Figures(
        rest_uv=rest * scale,
        best_uv=best * scale,
        typical_uv=float(np.median([np.median(of_gesture[name]) for name in active])) * scale,
        active_to_rest_db=20 * np.log10(best / rest),
        kurtosis=float(stats.kurtosis(values)),
        median_hz=float(np.interp(0.5 * power[-1], power, hertz[inside])),
        mean_hz=float(np.sum(hertz[inside] * density[inside]) / density[inside].sum()),
        slope_db_octave=float(slope),
        neighbour_correlation=float(correlation[0]),
        between_trials=between,
        within_trial=within,
        accuracy=held_out_accuracy(windows, len(recording.gestures)),
    )
    histogram, edges = np.histogram(values, bins=81, range=(-5, 5), density=True)
    density = density / density[inside].sum()
    return figures, Curves(
        (0.5 * (edges[1:] + edges[:-1]), histogram), (hertz, density), (distance, correlation)
    )


def _active_parts(
    recording: Recording, filtered: np.ndarray, of_gesture: dict[str, np.ndarray]
) -> list[np.ndarray]:
    """Return the steady part of each active trial at its gesture's strongest channels."""
    parts = []
    for trial in recording.trials:
        if trial.gesture == "rest":
            continue
        top = np.argsort(of_gesture[trial.gesture])[-min(STRONGEST, filtered.shape[1] // 4 + 1) :]
        start, stop = _steady(recording, trial)
        parts.append(filtered[start:stop, top].astype(np.float64))
    return parts


def _steady(recording: Recording, trial: Trial) -> tuple[int, int]:
    after, before = (round(s * recording.fs_hz) for s in recording.margins_s)
    return trial.start + after, trial.stop - before


def _spectrum(parts: list[np.ndarray], fs_hz: float) -> tuple[np.ndarray, np.ndarray]:
    spectra = []
    for part in parts:
        hertz, density = signal.welch(part, fs_hz, nperseg=round(0.5 * fs_hz), axis=0)
        spectra.append((density / density.sum(axis=0)).mean(axis=1))
    mean = np.mean(spectra, axis=0)
    # The powerline and its harmonics are no muscle's: what stands out there is cut to what lies beside it.
    for harmonic in (50, 60, 100, 120, 150, 180, 200, 240, 250, 300, 350, 360, 400, 420, 450):
        away = np.abs(hertz - harmonic)
        near, beside = away <= HUM_HZ, (away > HUM_HZ) & (away <= 3 * HUM_HZ)
        mean[near] = np.minimum(mean[near], np.median(mean[beside]))
    return hertz, mean


def _normalised(parts: list[np.ndarray], fs_hz: float) -> np.ndarray:
    """Return samples over the RMS of their own 200 ms window, so that slow changes of level do not count."""
    length = round(0.2 * fs_hz)
    values = []
    for part in parts:
        cut = part[: len(part) // length * length].reshape(-1, length, part.shape[1])
        values.append((cut / np.sqrt((cut**2).mean(axis=1, keepdims=True))).ravel())
    return np.concatenate(values)


def _correlation(recording: Recording, filtered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean correlation of two electrodes over their distance on the skin, during active trials."""
    grid = recording.grid
    place = grid.positions.astype(np.float64)
    difference = np.abs(place[:, np.newaxis] - place[np.newaxis])
    if grid.wraps == "rows":
        difference[..., 0] = np.minimum(difference[..., 0], grid.rows - difference[..., 0])
    distance = grid.pitch_mm * np.hypot(difference[..., 0], difference[..., 1])
    matrices = []
    for trial in recording.trials:
        if trial.gesture != "rest":
            start, stop = _steady(recording, trial)
            matrices.append(np.corrcoef(filtered[start:stop].T))
    mean = np.nanmean(matrices, axis=0)
    off = ~np.eye(len(mean), dtype=bool)
    step = max(DISTANCE_STEP_MM, grid.pitch_mm)
    which = np.rint(distance / step).astype(int)
    steps = [k for k in np.unique(which[off]) if k > 0]
    return np.array([k * step for k in steps]), np.array([mean[off & (which == k)].mean() for k in steps])


def _variability(windows: Windows, n_gestures: int, gestures: tuple[str, ...]) -> tuple[float, float]:
    """Return the SD of log-RMS between the trials of a gesture and within one, at its strongest quarter."""
    between, within = [], []
    for k in range(n_gestures):
        if gestures[k] == "rest":
            continue
        of = windows.labels == k
        top = np.argsort(windows.features[of].mean(axis=0))[-max(1, windows.features.shape[1] // 4) :]
        repetitions = np.unique(windows.repetitions[of])
        by_trial = [windows.features[of & (windows.repetitions == r)][:, top] for r in repetitions]
        between.append(np.std([trial.mean(axis=0) for trial in by_trial], axis=0).mean())
        within.append(np.mean([trial.std(axis=0).mean() for trial in by_trial]))
    return float(np.mean(between)), float(np.mean(within))


def _print_table(name: str, measured: dict[str, list[Figures]]) -> dict[str, object]:
    print(f"\n### {name}: {len(measured['real'])} real, {len(measured['simulated'])} simulated\n")
    print("| | real | simulated |\n|---|---|---|")
    result = {}
    for field, label in LABELS.items():
        columns = {kind: [getattr(f, field) for f in of] for kind, of in measured.items()}
        result[field] = {kind: [round(float(v), 4) for v in values] for kind, values in columns.items()}
        if not np.isnan(columns["real"]).all():
            print(f"| {label} | {_range(columns['real'])} | {_range(columns['simulated'])} |")
    return result


def _range(values: list[float]) -> str:
    low, high = min(values), max(values)
    shown = [f"{x:.3g}" for x in (low, high)]
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"


def _plot(name: str, measured: dict[str, list[tuple[Figures, Curves]]], path: Path) -> None:
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    styles = {"real": ("#b3430b", "-", 1.8), "simulated": ("#1f6fb2", "--", 1.2)}
    for kind, of in measured.items():
        colour, line, width = styles[kind]
        for index, (_, curves) in enumerate(of):
            label = kind if index == 0 else None
            style = {"color": colour, "linestyle": line, "linewidth": width, "label": label}
            left.semilogy(*curves.amplitude, **style)
            middle.loglog(curves.spectrum[0][1:], curves.spectrum[1][1:], **style)
            right.plot(*curves.correlation, marker="o", markersize=3, **style)
    grid = np.linspace(-5, 5, 200)
    left.semilogy(grid, stats.norm.pdf(grid), color="grey", linewidth=0.8, label="Gaussian")
    left.set(
        xlabel="amplitude / RMS of its window",
        ylabel="probability density",
        ylim=(1e-4, 1),
        title="amplitude",
    )
    middle.set(
        xlim=(15, 500), ylim=(1e-5, 0.1), xlabel="frequency (Hz)", ylabel="share of power", title="spectrum"
    )
    right.set(
        xlabel="distance on the skin (mm)", ylabel="correlation", ylim=(-0.6, 1), title="between electrodes"
    )
    for axis in (left, middle, right):
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    hertz = (20, 50, 100, 200, 400)
    middle.set_xticks(hertz, [str(h) for h in hertz])
    middle.set_xticks([], minor=True)
    figure.suptitle(f"{name}: real and simulated, {BAND_HZ[0]:g} to {BAND_HZ[1]:g} Hz, active trials")
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
