"""The temporal model against every path of gestures written out, and what it may do to decisions."""

import itertools

import numpy as np
import pytest

from decoding.decision import Decider, DecisionSettings, EffortCalibration, HopEvidence
from decoding.temporal import HopFilter, TemporalSettings
from decoding.windows import WindowSpec
from emg_acquisition.decision import NO_DECISION

REST, FIST = 0, 1
SPEC = WindowSpec(hop_samples=25, hops_per_window=8)
FS_HZ = 1000.0
EFFORT = EffortCalibration(rest_log_uv=1.0, contraction_log_uv=(3.0, 3.0, 3.0))


def _filter(settings: TemporalSettings, n_gestures: int = 3, rest_index: int = REST) -> HopFilter:
    return HopFilter(settings, SPEC, FS_HZ, n_gestures, rest_index)


def _sure_of(gestures: list[int], probability: float = 0.98) -> np.ndarray:
    rows = np.full((len(gestures), 3), (1.0 - probability) / 2.0, dtype=np.float32)
    rows[np.arange(len(gestures)), gestures] = probability
    return rows


def _follows(settings: TemporalSettings, before: int, after: int, n_gestures: int, rest: int) -> float:
    """How likely `after` is one hop after `before`, as the module's docstring says it."""
    ends = 0.025 / settings.mean_hold_s
    if before == after:
        return 1.0 - ends
    if before == rest:
        return ends / (n_gestures - 1)
    if n_gestures == 2:
        return ends
    return ends * (
        (1.0 - settings.direct_share) if after == rest else settings.direct_share / (n_gestures - 2)
    )


def _by_every_path(settings: TemporalSettings, probabilities: np.ndarray, rest: int) -> np.ndarray:
    """Posterior of the last hop's gesture: the sum over all sequences of gestures, one after the other."""
    n_hops, n_gestures = probabilities.shape
    posterior = np.zeros(n_gestures)
    for path in itertools.product(range(n_gestures), repeat=n_hops):
        weight = 1.0
        for hop, (before, after) in enumerate(itertools.pairwise((rest, *path))):
            heard = (1 - settings.outliers) * float(
                probabilities[hop, after]
            ) + settings.outliers / n_gestures
            weight *= _follows(settings, before, after, n_gestures, rest) * heard ** (1 / 8)
        posterior[path[-1]] += weight
    return posterior / posterior.sum()


@pytest.mark.parametrize(
    ("settings", "n_gestures", "rest"),
    [
        (TemporalSettings(), 3, 0),
        (TemporalSettings(mean_hold_s=0.1, direct_share=0.5, outliers=0.2), 4, 2),
        (TemporalSettings(mean_hold_s=0.05, direct_share=0.0, outliers=1e-6), 3, 1),
        (TemporalSettings(mean_hold_s=0.2, direct_share=1.0), 2, 1),
    ],
)
def test_the_belief_is_the_posterior_over_every_path(settings, n_gestures, rest):
    rng = np.random.default_rng(3)
    probabilities = rng.dirichlet(np.full(n_gestures, 0.2), 6).astype(np.float32)
    smoothed = _filter(settings, n_gestures, rest).process(probabilities)
    for n_hops in range(1, 7):
        wanted = _by_every_path(settings, probabilities[:n_hops], rest)
        np.testing.assert_allclose(smoothed[n_hops - 1], wanted, rtol=1e-5, atol=1e-7)


def test_a_gesture_straight_after_another_needs_more_evidence_than_after_rest():
    model = _filter(TemporalSettings(direct_share=0.01))
    from_rest = model.process(_sure_of([FIST] * 60))[:, FIST]
    changed = model.process(_sure_of([2] * 60))[:, 2]
    assert np.argmax(from_rest > 0.6) < np.argmax(changed > 0.6)


def test_a_hop_that_is_no_number_says_nothing_and_leaves_nothing_behind():
    broken = _sure_of([FIST] * 200)
    broken[100] = np.nan
    broken[101, 1] = np.inf
    settings = TemporalSettings(mean_hold_s=2.0, direct_share=0.1)
    smoothed = _filter(settings).process(broken)
    assert np.isfinite(smoothed).all()
    # Nothing is heard, so the probabilities only wear off, by the transitions alone.
    for k in (100, 101):
        stays = sum(smoothed[k - 1, j] * _follows(settings, j, FIST, 3, REST) for j in range(3))
        assert smoothed[k, FIST] == pytest.approx(stays, abs=1e-6)
    assert smoothed[101, FIST] < smoothed[99, FIST]
    assert smoothed[-1, FIST] == pytest.approx(smoothed[99, FIST], abs=1e-4)
    np.testing.assert_allclose(smoothed.sum(axis=1), 1.0, rtol=1e-6)


def test_no_number_of_sure_hops_makes_the_belief_stick():
    model = _filter(TemporalSettings(outliers=1e-12))
    model.process(_sure_of([FIST] * 5000, 1.0))
    back = model.process(_sure_of([REST] * 40, 1.0))
    assert back[-1, REST] > 0.6


def _said(probabilities: np.ndarray, smoothed: list, settings: DecisionSettings) -> list[int]:
    decider = Decider(settings, EFFORT, REST)
    return [
        decider.process(HopEvidence(k, one, 2.0, 1.0, smoothed=of_all)).gesture_index
        for k, (one, of_all) in enumerate(zip(probabilities, smoothed, strict=True))
    ]


@pytest.mark.parametrize("seed", range(5))
def test_with_the_model_a_gesture_ends_at_the_very_hop_at_which_it_ends_without(seed):
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.integers(0, 3, 20), rng.integers(1, 40, 20)).tolist()
    probabilities = _sure_of(truth)
    probabilities[rng.random(len(truth)) < 0.1] = (0.4, 0.3, 0.3)
    smoothed = list(_filter(TemporalSettings(mean_hold_s=8.0)).process(probabilities))
    settings = DecisionSettings(dwell_hops=1, vote_hops=1, change_dwell_hops=1)
    without = _said(probabilities, [None] * len(truth), settings)
    with_model = _said(probabilities, smoothed, settings)
    assert all(b in {a, NO_DECISION} for a, b in zip(without, with_model, strict=True))
    assert [b for a, b in zip(without, with_model, strict=True) if a == REST] == [REST] * without.count(REST)
    assert max(with_model) > REST


def test_a_belief_in_a_gesture_never_outlives_the_hop_that_leaves_it():
    probabilities = _sure_of([FIST] * 100 + [REST])
    smoothed = _filter(TemporalSettings(mean_hold_s=8.0)).process(probabilities)
    # The belief alone would hold on; the decision does not.
    assert smoothed[-1].argmax() == FIST
    said = _said(probabilities, list(smoothed), DecisionSettings())
    assert said[-2:] == [FIST, REST]
