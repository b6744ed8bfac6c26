"""The contract of a stage, in the docstring of `decoding`, held over every stage that takes samples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pytest

from decoding.decoder_file import load_decoder
from decoding.feature_chain import FeatureChain
from decoding.features import WindowFeatures
from decoding.filters import BandpassFilter, design_filter
from decoding.pipeline import DecoderPipeline
from decoding.repair import FaultMonitor, FiniteGuard, Fitness
from decoding.signal_settings import FeatureName, SignalSettings
from decoding.spatial import SpatialFilter
from decoding.temporal import HopFilter, TemporalSettings
from decoding.windows import HopSlicer, window_spec
from evaluation.replay import replay_session
from tests.dec_support import (
    FS_HZ,
    GESTURES,
    GRID,
    metadata,
    noise_uv,
    random_splits,
    session,
    stream_info,
    write_decoder,
)

ALL_FEATURES = SignalSettings(features=get_args(FeatureName))
SPEC = window_spec(ALL_FEATURES, FS_HZ)
# What a person can choose for the signal path, besides the default; each is held to the contract end to end.
CHOSEN = {
    "notch": {"powerline_hz": 60, "powerline_harmonics": 3},
    "average": {"spatial": "average"},
    "laplacian": {"spatial": "laplacian"},
    "saturation": {"saturation_uv": 3.5e4, "settle_ms": 60.0},
    "band and window": {"band_hz": (30.0, 300.0), "filter_order": 2, "window_ms": 120.0, "hop_ms": 40.0},
}
N_SAMPLES = 1500
AFTER_GUARD = {"bandpass", "notch", "average", "laplacian", "features"}


@dataclass(frozen=True)
class Case:
    """A stage, and how to lay what it returns end to end as rows that can be compared bit by bit."""

    name: str
    make: Callable[[], Any]
    rows: Callable[[Any], list[bytes]]


def _samples(result: np.ndarray) -> list[bytes]:
    return [row.tobytes() for row in result]


def _listed(result: list) -> list[bytes]:
    return [b"".join(np.ascontiguousarray(part).tobytes() for part in _parts(one)) for one in result]


def _parts(one: Any) -> tuple:
    if isinstance(one, Fitness):
        return one.in_window, one.in_hop
    return one if isinstance(one, tuple) else (one,)


def _block(result: Any) -> list[bytes]:
    columns = (result.features, result.log_amplitude, result.quality, result.last_sample)
    return [b"".join(column[k].tobytes() for column in columns) for k in range(len(result))]


def _decisions(result: list) -> list[bytes]:
    return [one.to_values().tobytes() + str((one.sample_index, one.effort)).encode() for one in result]


class OfProbabilities:
    """Samples as if they were the probabilities of hops: their fractions, one hop a sample."""

    def __init__(self) -> None:
        self._filter = HopFilter(TemporalSettings(), SPEC, FS_HZ, 8, 2)

    def process(self, emg_uv: np.ndarray, /) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            fractions = emg_uv - np.floor(emg_uv)
        fractions.flags.writeable = False
        return self._filter.process(fractions)

    def reset(self) -> None:
        self._filter.reset()


@pytest.fixture(scope="module")
def decoders(tmp_path_factory):
    """A decoder of the default settings, one of each choice, and one with a temporal model."""
    about = {"": metadata(), "temporal": metadata().model_copy(update={"temporal": TemporalSettings()})}
    about |= {name: metadata(signal=SignalSettings(**settings)) for name, settings in CHOSEN.items()}
    folder = tmp_path_factory.mktemp("decoders")
    return {name: load_decoder(write_decoder(folder / f"{name}.onnx", one)) for name, one in about.items()}


NAMES = (
    *(
        "guard",
        "faults",
        "faults saturation",
        "bandpass",
        "notch",
        "average",
        "laplacian",
        "hops",
        "features",
    ),
    *("temporal", "chain", "chain average", "chain laplacian"),
    *("pipeline", "pipeline temporal", *(f"pipeline {name}" for name in CHOSEN)),
)


@pytest.fixture(params=NAMES)
def case(request, decoders) -> Case:
    kind, _, chosen = request.param.partition(" ")
    settings = ALL_FEATURES.model_copy(update=CHOSEN.get(chosen, {}))
    notch = SignalSettings(**CHOSEN["notch"])
    cases = {
        "guard": (lambda: FiniteGuard(8), _samples),
        "faults": (lambda: FaultMonitor(settings, SPEC, FS_HZ, 8), _listed),
        "bandpass": (lambda: BandpassFilter(design_filter(settings, FS_HZ)), _samples),
        "notch": (lambda: BandpassFilter(design_filter(notch, FS_HZ)), _samples),
        "hops": (lambda: HopSlicer(SPEC.hop_samples, 8), _listed),
        "average": (lambda: SpatialFilter("average", GRID), _samples),
        "laplacian": (lambda: SpatialFilter("laplacian", GRID), _samples),
        "features": (lambda: WindowFeatures(settings, FS_HZ, GRID), _listed),
        "temporal": (OfProbabilities, _samples),
        "chain": (lambda: FeatureChain(settings, FS_HZ, GRID), _block),
        "pipeline": (lambda: DecoderPipeline(decoders[chosen], stream_info()), _decisions),
    }
    make, rows = cases[kind]
    return Case(request.param, make, rows)


def _in_chunks(case: Case, stage: Any, emg_uv: np.ndarray, splits: list[slice]) -> list[bytes]:
    return [row for split in splits for row in case.rows(stage.process(emg_uv[split]))]


def _troubled(seed: int) -> np.ndarray:
    """Noise with every fault that a stage before the filter has to bear."""
    emg_uv = noise_uv(N_SAMPLES, seed=seed)
    emg_uv[300:420, 1] = emg_uv[300, 1]
    emg_uv[900:905, 5] = 4e4
    if seed % 2:
        emg_uv[505:512, 2] = np.nan
        emg_uv[700, 3] = np.inf
    return emg_uv


@pytest.mark.parametrize("seed", range(6))
def test_any_split_gives_the_same_bits_as_one_block(case, seed):
    # What only finite samples reach: the guard stands before it.
    emg_uv = noise_uv(N_SAMPLES, seed=seed) if case.name in AFTER_GUARD else _troubled(seed)
    whole = case.rows(case.make().process(emg_uv))
    splits = random_splits(N_SAMPLES, np.random.default_rng(seed))
    assert _in_chunks(case, case.make(), emg_uv, splits) == whole
    assert len(whole) > 10


def test_sample_by_sample_is_the_same_as_one_block(case):
    emg_uv = noise_uv(400)
    whole = case.rows(case.make().process(emg_uv))
    assert _in_chunks(case, case.make(), emg_uv, [slice(k, k + 1) for k in range(400)]) == whole


def test_the_future_does_not_change_the_past(case):
    emg_uv = noise_uv(N_SAMPLES)
    other = emg_uv.copy()
    other[900:] = noise_uv(N_SAMPLES - 900, seed=9, rms_uv=500.0)
    one = case.rows(case.make().process(emg_uv))
    two = case.rows(case.make().process(other))
    until = len(case.rows(case.make().process(emg_uv[:900])))
    assert one[:until] == two[:until]
    assert one != two or case.name.startswith("faults")


def test_reset_makes_a_stage_as_new(case):
    emg_uv = noise_uv(N_SAMPLES)
    stage = case.make()
    stage.process(noise_uv(777, seed=5, rms_uv=200.0))
    stage.reset()
    assert case.rows(stage.process(emg_uv)) == case.rows(case.make().process(emg_uv))


def test_an_empty_chunk_gives_nothing_and_changes_nothing(case):
    emg_uv = noise_uv(N_SAMPLES)
    stage = case.make()
    assert case.rows(stage.process(emg_uv[:0])) == []
    rows = case.rows(stage.process(emg_uv))
    assert case.rows(stage.process(emg_uv[:0])) == []
    assert rows == case.rows(case.make().process(emg_uv))


def test_input_is_neither_changed_nor_needed_afterwards(case):
    emg_uv = noise_uv(N_SAMPLES)
    kept = emg_uv.copy()
    stage = case.make()
    emg_uv.flags.writeable = False
    first = case.rows(stage.process(emg_uv[:730]))
    np.testing.assert_array_equal(emg_uv, kept)
    # The caller may use its buffer again: what the stage remembers must be its own.
    emg_uv.flags.writeable = True
    rest_of_it = emg_uv[730:].copy()
    emg_uv[:] = 0.0
    assert first + case.rows(stage.process(rest_of_it)) == case.rows(case.make().process(kept))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("name", ["chain", "pipeline"])
def test_a_broken_sample_never_latches(decoders, name, value):
    make = {
        "chain": lambda: FeatureChain(ALL_FEATURES, FS_HZ, GRID),
        "pipeline": lambda: DecoderPipeline(decoders[""], stream_info()),
    }[name]
    emg_uv = session([("fist", 1)]).emg.emg_uv
    broken = emg_uv.copy()
    broken[0, 0] = broken[400:460, 3] = broken[1000, :] = value
    clean, mended = make().process(emg_uv), make().process(broken)
    if name == "chain":
        assert np.isfinite(mended.features).all()
        # The windows from 600 ms after the last fault: the filter has settled and nothing of it is left.
        np.testing.assert_allclose(mended.features[-20:], clean.features[-20:], rtol=1e-5, atol=1e-5)
        assert mended.quality[-1] == 1.0
        assert mended.quality.min() == 0.0
    else:
        assert {GESTURES[d.gesture_index] for d in clean[-20:]} == {"fist"}
        assert {GESTURES[d.gesture_index] for d in mended[-20:]} == {"fist"}
        assert all(np.isfinite(d.to_values()).all() for d in mended)


@pytest.mark.parametrize("chosen", ["", *CHOSEN, "temporal"])
def test_replay_decides_as_a_live_stream_in_any_chunks(decoders, chosen):
    recorded = session([("fist", 1), ("rest", 1), ("hand_open", 1)])
    emg_uv = recorded.emg.emg_uv
    emg_uv[2000:2005, 4] = 4e4  # clipped, where saturation_uv says so
    splits = random_splits(len(emg_uv), np.random.default_rng(3))
    live = DecoderPipeline(decoders[chosen], stream_info())
    decided = [decision for split in splits for decision in live.process(emg_uv[split])]
    replay = replay_session(recorded, decoders[chosen])
    assert replay.sample_index.tolist() == [decision.sample_index for decision in decided]
    assert replay.values.tobytes() == np.stack([decision.to_values() for decision in decided]).tobytes()
    assert len({decision.quality for decision in decided}) == (2 if chosen == "saturation" else 1)
