"""A question about decoders and sessions to an evaluation: what to judge, done by many workers, put together."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from calibration.model_selection import load_network
from calibration.train_settings import TrainSettings
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import read_session_info
from evaluation.judging.by_decoder import judge_decoder
from evaluation.judging.comparison import Compared, compare
from evaluation.judging.cross_validation import CurvePoint, Split, folds_of, judge_fold, learning_curve
from evaluation.judging.evidence import Evidence
from evaluation.judging.figures import Figures, figures_of
from evaluation.judging.many_sessions import Outcome, Workers, do_all

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Question:
    """What is asked.

    Parameters
    ----------
    decoders : tuple of Path
        Decoder files to judge; or none, and then decoders are made as `training` says and judged.
    sessions : tuple of Path
        Session folders.
    splits : tuple of str
        What is left out to judge decoders that are made; empty: in every way that the sessions allow.
    training : TrainSettings
        How decoders are made; its margins count for decoder files too.
    emg : str or None
        Which EMG stream of sessions that hold several.
    learning_curve : bool
        Whether to judge what more repetitions bring, where repetitions are left out.
    allow_training_data : bool
        Whether a decoder file is judged on its own training sessions.
    title : str
        Of the report.
    """

    decoders: tuple[Path, ...]
    sessions: tuple[Path, ...]
    splits: tuple[Split, ...] = ()
    training: TrainSettings = field(default_factory=TrainSettings)
    emg: str | None = None
    learning_curve: bool = True
    allow_training_data: bool = False
    title: str = "Evaluation"


@dataclass(frozen=True)
class Failure:
    """A session that could not be judged, and why."""

    folder: str
    reason: str


@dataclass(frozen=True)
class Group:
    """Sessions that one decoder, or decoders made and judged in one way, were judged on."""

    name: str
    evidence: tuple[Evidence, ...]

    @cached_property
    def pooled(self) -> Figures:
        """Figures of all its sessions together."""
        return figures_of(self.evidence)

    @cached_property
    def by_session(self) -> tuple[Figures, ...]:
        """Figures of each session by itself."""
        return tuple(figures_of([one]) for one in self.evidence)

    @property
    def of_training_data(self) -> bool:
        """Whether some of it was judged by what the decoder was trained on."""
        return any("TRAINING DATA" in remark for one in self.evidence for remark in one.remarks)


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Parameters
    ----------
    title : str
        Of the report.
    evidence : tuple of Evidence
        Of every session and decoder.
    failures : tuple of Failure
        What could not be judged.
    curves : tuple of CurvePoint
        Learning curves.
    """

    title: str
    evidence: tuple[Evidence, ...]
    failures: tuple[Failure, ...] = ()
    curves: tuple[CurvePoint, ...] = ()

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """By decoder, and by gestures where the sessions of a split differ in them."""
        found: dict[tuple[str, tuple[str, ...]], list[Evidence]] = {}
        for one in self.evidence:
            found.setdefault((one.decoder, one.gestures), []).append(one)
        return tuple(Group(self._name(key, list(found)), tuple(own)) for key, own in found.items())

    @staticmethod
    def _name(key: tuple[str, tuple[str, ...]], keys: Sequence[tuple[str, tuple[str, ...]]]) -> str:
        alone = sum(decoder == key[0] for decoder, _ in keys) == 1
        return key[0] if alone else f"{key[0]} ({', '.join(key[1])})"

    @cached_property
    def comparisons(self) -> tuple[Compared, ...]:
        """Every two decoders on the trials that both were judged on."""
        return compare(self.evidence)


def evaluate(question: Question, workers: Workers, progress: Progress) -> Evaluation:
    """Answer a question; sessions that cannot be judged are failures of the evaluation and stop nothing.

    Raises
    ------
    InputError
        If the question itself cannot be answered: a split that the sessions do not allow, or that would leak.
    ModuleNotFoundError
        If the network is asked for and torch is not installed.
    """
    if question.decoders:
        return _of_decoders(question, workers, progress)
    return _of_training(question, workers, progress)


def _of_decoders(question: Question, workers: Workers, progress: Progress) -> Evaluation:
    pairs = [(decoder, session) for decoder in question.decoders for session in question.sessions]
    judge = functools.partial(_judge_pair, question)
    outcomes = do_all(judge, pairs, workers, lambda done: progress("judging", done))
    evidence, failures = _sorted(outcomes, [session for _, session in pairs])
    return Evaluation(question.title, tuple(evidence), tuple(failures))


def _judge_pair(question: Question, pair: tuple[Path, Path]) -> Evidence:
    return judge_decoder(
        *pair, question.emg, question.training.margins, allow_training_data=question.allow_training_data
    )


def _of_training(question: Question, workers: Workers, progress: Progress) -> Evaluation:
    if question.training.model == "cnn":
        load_network()
    readable, failures = _readable(question.sessions)
    splits = question.splits or _possible(readable)
    folds = [fold for split in splits for fold in folds_of(split, readable)] if readable else []
    judge = functools.partial(judge_fold, question.training, question.emg)
    outcomes = do_all(judge, folds, workers, lambda done: progress("judging", 0.8 * done))
    evidence, failed = _sorted(outcomes, [fold.tested for fold in folds])
    curves: list[CurvePoint] = []
    if question.learning_curve and "repetition" in splits:
        judged = {one.folder for one in evidence}
        usable = [folder for folder in readable if str(folder) in judged]
        draw = functools.partial(learning_curve, question.training, question.emg)
        drawn = do_all(draw, usable, workers, lambda done: progress("learning curve", 0.8 + 0.2 * done))
        for folder, outcome in zip(usable, drawn, strict=True):
            curves += outcome.result or ()
            if outcome.result is None:
                failed.append(Failure(str(folder), f"learning curve: {outcome.failure}"))
    return Evaluation(question.title, tuple(evidence), (*failures, *_once(failed)), tuple(curves))


def _readable(sessions: Sequence[Path]) -> tuple[list[Path], list[Failure]]:
    """Leave out at once what is no session, and what is of another kind than most: it would spoil every fold."""
    infos, failures = {}, []
    for folder in sessions:
        try:
            infos[folder] = read_session_info(folder)
        except InputError as error:  # noqa: PERF203 - each session fails by itself
            failures.append(Failure(str(folder), " ".join(str(error).split())))
    kinds = [(info.fs_hz, info.grid.model_dump_json()) for info in infos.values()]
    readable = []
    for (folder, info), kind in zip(infos.items(), kinds, strict=True):
        usual = max(kinds, key=kinds.count)
        if kind == usual:
            readable.append(folder)
        else:
            reason = (
                f"is of {info.fs_hz:g} Hz on grid {info.grid.name!r}, most are of {usual[0]:g} Hz: "
                "a decoder is for one rate and grid; judge it by itself"
            )
            failures.append(Failure(str(folder), reason))
    return readable, failures


def _possible(sessions: Sequence[Path]) -> tuple[Split, ...]:
    """Which splits the sessions allow."""
    persons = [read_session_info(folder).participant for folder in sessions]
    splits: list[Split] = ["repetition"]
    if len(set(persons)) < len(persons):
        splits.append("session")
    if len(set(persons)) > 1:
        splits.append("participant")
    return tuple(splits)


def _sorted(
    outcomes: Sequence[Outcome[Evidence]], folders: Sequence[Path]
) -> tuple[list[Evidence], list[Failure]]:
    evidence, failures = [], []
    for outcome, folder in zip(outcomes, folders, strict=True):
        if outcome.result is not None:
            evidence.append(outcome.result)
        else:
            failures.append(Failure(str(folder), outcome.failure))
    return evidence, _once(failures)


def _once(failures: Sequence[Failure]) -> list[Failure]:
    return list(dict.fromkeys(failures))
