"""Synthetic wearers, sessions and decoders for the tests of decoding and calibration."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from decoding.decision import DecisionSettings, EffortCalibration
from decoding.decoder_file import DecoderMetadata, HeldOut
from decoding.filters import design_filter
from decoding.models.export import export_decoder
from decoding.models.lda import fit_lda
from decoding.signal_settings import SignalSettings
from emg_acquisition.events import Event
from emg_acquisition.grid import ElectrodeGrid, GridSettings, rectangular_grid
from emg_acquisition.recording.session import EmgRecording, Session, SessionInfo
from emg_acquisition.recording.session_writer import SessionWriter, session_folder
from emg_acquisition.stream_info import EmgStreamInfo

FS_HZ = 1000.0
GRID = rectangular_grid(2, 4, 10.0)
LABELS = tuple(f"E{k + 1}" for k in range(8))
GESTURES = ("rest", "fist", "hand_open")
OFFSET_UV = 3e4


def stream_info(
    *, fs_hz: float = FS_HZ, grid: ElectrodeGrid = GRID, labels: tuple[str, ...] = LABELS
) -> EmgStreamInfo:
    return EmgStreamInfo("test EMG", "test-0001", fs_hz, grid, labels)


def noise_uv(n_samples: int, n_channels: int = 8, *, seed: int = 0, rms_uv: float = 30.0) -> np.ndarray:
    """White noise on an electrode's offset, as an amplifier delivers it."""
    rng = np.random.default_rng(seed)
    offset = rng.uniform(-OFFSET_UV, OFFSET_UV, n_channels)
    return (offset + rng.normal(0.0, rms_uv, (n_samples, n_channels))).astype(np.float32)


def random_splits(n: int, rng: np.random.Generator) -> list[slice]:
    """Cut 0..n at random, some pieces empty, some of one sample."""
    cuts = np.sort(rng.integers(0, n + 1, rng.integers(1, 40)))
    edges = [0, *cuts.tolist(), n]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


def amplitude_of(gesture: str) -> np.ndarray:
    """Amplitude of each of eight channels, µV RMS, for a gesture."""
    amplitude = np.full(8, 6.0)
    if gesture == "fist":
        amplitude[:4] = 60.0
    if gesture == "hand_open":
        amplitude[4:] = 60.0
    return amplitude


def session(
    cues: Sequence[tuple[str, int]],
    *,
    hold_s: float = 3.0,
    seed: int = 0,
    info: EmgStreamInfo | None = None,
    amplitude=amplitude_of,
) -> Session:
    """A session in memory whose muscles follow (gesture, repetition) cues at once."""
    info = info or stream_info()
    rng = np.random.default_rng(seed)
    hold = int(hold_s * info.fs_hz)
    parts = [rng.normal(0.0, 1.0, (hold, info.n_channels)) * amplitude(gesture) for gesture, _ in cues]
    emg_uv = (OFFSET_UV + np.concatenate(parts)).astype(np.float32) if parts else noise_uv(2000)
    events = tuple(
        Event(k * hold_s, "cue", {"gesture": gesture, "repetition": repetition, "trial": k + 1})
        for k, (gesture, repetition) in enumerate(cues)
    )
    about = SessionInfo(
        participant="P01",
        session="S1",
        created="2026-11-23T10:00:00Z",
        device="test",
        source_id=info.source_id,
        fs_hz=info.fs_hz,
        grid=GridSettings.model_validate(info.grid.to_settings()),
    )
    t_lsl_s = np.arange(len(emg_uv)) / info.fs_hz
    return Session(Path("sub-P01/ses-S1"), about, EmgRecording(info, emg_uv, t_lsl_s), events)


def write_session(root: Path, name: str, recorded: Session) -> str:
    """Write a session to disk and return its folder."""
    folder = session_folder(root, "P01", name)
    writer = SessionWriter(folder, participant="P01", session=name, emg=recorded.emg.info)
    writer.write_emg(recorded.emg.emg_uv, recorded.emg.t_lsl_s)
    writer.write_events(recorded.events)
    writer.close()
    return str(folder)


def cues(repetitions: int, gestures: Sequence[str] = GESTURES) -> list[tuple[str, int]]:
    return [(gesture, repetition) for repetition in range(1, repetitions + 1) for gesture in gestures]


def metadata(
    *,
    signal: SignalSettings | None = None,
    decision: DecisionSettings | None = None,
    info: EmgStreamInfo | None = None,
    gestures: tuple[str, ...] = GESTURES,
) -> DecoderMetadata:
    signal = signal or SignalSettings()
    info = info or stream_info()
    return DecoderMetadata(
        fs_hz=info.fs_hz,
        grid=GridSettings.model_validate(info.grid.to_settings()),
        channel_labels=info.channel_labels,
        signal=signal,
        filter_design=design_filter(signal, info.fs_hz),
        gestures=gestures,
        decision=decision or DecisionSettings(),
        effort=EffortCalibration(rest_log_uv=1.8, contraction_log_uv=(3.0,) * len(gestures)),
        model="lda",
        training_sessions=(),
        held_out=HeldOut(window_accuracy=None, trial_accuracy=None),
        software={},
    )


def write_decoder(path: Path, about: DecoderMetadata | None = None, seed: int = 0) -> Path:
    """Fit an LDA on log-normal features of the gestures' amplitudes and write it."""
    about = about or metadata()
    n_features = len(about.signal.features)
    rng = np.random.default_rng(seed)
    labels = np.arange(600) % len(about.gestures)
    centres = np.stack([np.log(amplitude_of(gesture)) for gesture in about.gestures])
    features = centres[labels][:, :, np.newaxis] + rng.normal(0.0, 0.15, (600, 8, n_features))
    export_decoder(fit_lda(features.astype(np.float32), labels, len(about.gestures)), about, path)
    return path
