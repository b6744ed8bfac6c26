"""Evidence of one or many sessions to figures, each accuracy with its interval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from emg_acquisition.arrays import Float64Array, IntArray
from emg_acquisition.errors import InputError
from evaluation.figures_of_merit.classification import (
    accuracy,
    balanced_accuracy,
    macro_f1,
    mutual_information_bits,
    wolpaw_bits,
)
from evaluation.figures_of_merit.confidence import (
    RejectionCurve,
    Reliability,
    rejection_curve,
    reliability,
)
from evaluation.figures_of_merit.holds import HoldFigures, hold_figures
from evaluation.figures_of_merit.intervals import Interval, bootstrap_interval, mean_interval
from evaluation.judging.evidence import Evidence
from evaluation.online import OnlineBehaviour

SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class Figures:
    """What evidence comes to.

    Parameters
    ----------
    gestures : tuple of str
        Names by index.
    participants, sessions, trials, windows : int
        What was judged.
    left_out : int
        Trials that were not: too short for the margins, not found good in calibration, or of too poor a signal.
    trial_counts, window_counts : ndarray of int64, shape (n_gestures, n_gestures + 1)
        Confusions; the last column is no decision.
    trial_accuracy, trial_balanced, window_accuracy, window_balanced : Measured
        See `figures_of_merit.classification`; trials as decided live, windows by their most probable gesture alone.
    trial_macro_f1, window_macro_f1 : float
        Likewise.
    over_participants : Measured
        Mean over participants of their trial accuracies.
    reliability : Reliability
        Of the windows' probabilities.
    rejection : RejectionCurve
        Of the windows.
    holds : HoldFigures
        Of the decisions while a gesture was asked for.
    behaviour : OnlineBehaviour or None
        Delays, false activations and third gestures; None without rest.
    bits_per_trial, wolpaw_bits_per_trial, bits_per_min : float
        Mutual information of the trials' confusion, Wolpaw's formula, and the former at the pace of the cues.
    """

    gestures: tuple[str, ...]
    participants: int
    sessions: int
    trials: int
    windows: int
    left_out: int
    trial_counts: IntArray
    window_counts: IntArray
    trial_accuracy: Measured
    trial_balanced: Measured
    window_accuracy: Measured
    window_balanced: Measured
    trial_macro_f1: float
    window_macro_f1: float
    over_participants: Measured
    reliability: Reliability
    rejection: RejectionCurve
    holds: HoldFigures
    behaviour: OnlineBehaviour | None
    bits_per_trial: float
    wolpaw_bits_per_trial: float
    bits_per_min: float

    @property
    def onset_delay_ms(self) -> float | None:
        """Median delay from a muscle's onset out of rest to its decision; None where none was seen."""
        delays = self.behaviour.delays_from_rest_ms if self.behaviour is not None else ()
        return float(np.percentile(delays, 50, method="lower")) if delays else None

    @property
    def onset_delay_p90_ms(self) -> float | None:
        """Nine of ten beginnings are decided within it; infinite where more than one in ten never is."""
        delays = self.behaviour.delays_from_rest_ms if self.behaviour is not None else ()
        return float(np.percentile(delays, 90, method="lower")) if delays else None

    @property
    def false_activations_per_h(self) -> float | None:
        """Activations in an hour of rest; None where there was no rest."""
        behaviour = self.behaviour
        if behaviour is None or behaviour.rest_s <= 0:
            return None
        return behaviour.false_activations / behaviour.rest_s * SECONDS_AN_HOUR

    @property
    def false_activations_bound_per_h(self) -> float | None:
        """Upper end of its 95 % interval, from counting alone: exact Poisson (Garwood 1936)."""
        from scipy.stats import chi2  # noqa: PLC0415 - slow to import, and needed here alone

        behaviour = self.behaviour
        if behaviour is None or behaviour.rest_s <= 0:
            return None
        most = float(chi2.ppf(0.975, 2 * (behaviour.false_activations + 1))) / 2.0
        return most / behaviour.rest_s * SECONDS_AN_HOUR

    @property
    def through_third_share(self) -> float | None:
        """Share of beginnings that passed through a gesture that nobody asked for."""
        behaviour = self.behaviour
        if behaviour is None:
            return None
        beginnings = len(behaviour.delays_from_rest_ms) + len(behaviour.delays_from_gesture_ms)
        return behaviour.through_third / beginnings if beginnings else None


def figures_of(evidence: Sequence[Evidence]) -> Figures:
    """Pool the evidence of sessions that know the same gestures.

    Raises
    ------
    InputError
        If there is none, or the gestures differ.
    """
    _check(evidence)
    gestures = evidence[0].gestures
    trial_tables, window_tables = (
        _by_participant(evidence, table) for table in (Evidence.trial_table, Evidence.window_table)
    )
    trial_counts, window_counts = _sum(trial_tables), _sum(window_tables)
    confidence, right = _joined(evidence)
    trials = int(trial_counts.sum())
    behaviours = [one.behaviour for one in evidence if one.behaviour is not None]
    bits = mutual_information_bits(trial_counts)
    there = int((trial_counts.sum(axis=1) > 0).sum())
    cued_s = [_seconds(one, k) for one in evidence for k in one.judged]
    persons = np.array([accuracy(table.sum(axis=0)) for table in trial_tables])
    return Figures(
        gestures=gestures,
        participants=len(trial_tables),
        sessions=len(evidence),
        trials=trials,
        windows=int(window_counts.sum()),
        left_out=sum(len(one.cued) - len(one.judged) for one in evidence),
        trial_counts=trial_counts,
        window_counts=window_counts,
        trial_accuracy=_measured(trial_tables, accuracy),
        trial_balanced=_measured(trial_tables, balanced_accuracy),
        window_accuracy=_measured(window_tables, accuracy),
        window_balanced=_measured(window_tables, balanced_accuracy),
        trial_macro_f1=macro_f1(trial_counts),
        window_macro_f1=macro_f1(window_counts),
        over_participants=Measured(float(persons.mean()), mean_interval(persons)),
        reliability=reliability(confidence, right),
        rejection=rejection_curve(confidence, right),
        holds=hold_figures([hold for one in evidence for hold in one.holds()]),
        behaviour=reduce(add, behaviours) if behaviours else None,
        bits_per_trial=bits,
        wolpaw_bits_per_trial=wolpaw_bits(there, accuracy(trial_counts)),
        bits_per_min=bits * 60.0 / float(np.mean(cued_s)),
    )


def _check(evidence: Sequence[Evidence]) -> None:
    if not evidence:
        msg = "no session could be judged"
        raise InputError(msg)
    for one in evidence[1:]:
        if one.gestures != evidence[0].gestures:
            first = evidence[0]
            msg = (
                f"{one.folder} knows {', '.join(one.gestures)}, {first.folder} {', '.join(first.gestures)}; "
                "judge sessions of the same gestures together"
            )
            raise InputError(msg)


def _by_participant(evidence: Sequence[Evidence], table: Callable[[Evidence], IntArray]) -> list[IntArray]:
    found: dict[str, list[IntArray]] = {}
    for one in evidence:
        found.setdefault(one.participant, []).append(table(one))
    return [np.concatenate(tables) for tables in found.values()]


def _sum(tables: Sequence[IntArray]) -> IntArray:
    total: IntArray = np.concatenate(tables).sum(axis=0)
    return total


def _measured(tables: Sequence[IntArray], statistic: Callable[[IntArray], float]) -> Measured:
    return Measured(statistic(_sum(tables)), bootstrap_interval(tables, statistic))


def _joined(evidence: Sequence[Evidence]) -> tuple[Float64Array, Float64Array]:
    pairs = [one.confidence_and_right() for one in evidence]
    return np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])


def _seconds(evidence: Evidence, trial: int) -> float:
    cue = evidence.cued[trial]
    return (cue.stop - cue.start) / evidence.fs_hz
