"""What a decoder is made of: the prior order, and the rule that held-out repetitions choose by."""

import pytest

from calibration.held_out import HeldOutResult
from calibration.model_selection import best_of, feature_sets, lda_candidates
from decoding.signal_settings import SignalSettings
from emg_acquisition.grid import rectangular_grid

BASE = SignalSettings(powerline_hz=50)


def _said(*folds: float, loss: float = 0.1) -> HeldOutResult:
    return HeldOutResult(1.0, sum(folds) / len(folds), 1.0, loss, folds)


@pytest.mark.parametrize(
    ("channels", "fs_hz", "expected"),
    [
        (64, 2000.0, ["referenced", "amplitude"]),
        (32, 2000.0, ["referenced", "amplitude"]),
        (10, 1000.0, ["amplitude", "referenced", "spectral"]),
        (10, 500.0, ["amplitude", "referenced"]),
    ],
)
def test_the_order_is_the_prior_belief(channels, fs_hz, expected):
    sets = feature_sets(rectangular_grid(channels, 1, 10.0), fs_hz, BASE)
    assert list(sets) == expected
    assert {signal.powerline_hz for signal in sets.values()} == {50}
    assert lda_candidates(sets)[0].name == f"lda on {expected[0]}, shrinkage by trials"


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        # Clearly better: whatever its likelihood.
        ({"first": _said(0.80, 0.82, 0.81), "second": _said(0.90, 0.93, 0.91, loss=0.9)}, "second"),
        # Better in one fold and worse in another: the likelier.
        ({"first": _said(0.90, 0.95, 0.92, loss=0.3), "second": _said(0.93, 0.92, 0.93, loss=0.2)}, "second"),
        ({"first": _said(0.90, 0.95, 0.92, loss=0.2), "second": _said(0.93, 0.92, 0.93, loss=0.3)}, "first"),
        # All certain: the one believed in more.
        ({"first": _said(1.0, 1.0, loss=4e-5), "second": _said(1.0, 1.0, loss=0.0)}, "first"),
        # Always a little better is better.
        ({"first": _said(0.90, 0.80, loss=0.1), "second": _said(0.92, 0.82, loss=0.4)}, "second"),
    ],
)
def test_of_those_that_folds_cannot_tell_apart_the_likelier_or_the_first(tried, expected):
    assert best_of(list(tried.items()))[0] == expected


def test_with_nothing_held_out_the_first_is_taken():
    unknown = HeldOutResult(1.0, None, None)
    assert best_of([("first", unknown), ("second", unknown)])[0] == "first"
