"""``hdemg evaluate``."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError
from ui.commands.options import (
    add_emg_choice,
    add_json,
    add_margins,
    add_signal,
    file_path,
    folder,
    integer,
    margins_given,
    signal_given,
)
from ui.console import ProgressBar, interrupt_on_sigterm, print_json

if TYPE_CHECKING:
    from evaluation.evaluate import Evaluation
    from evaluation.judging.many_sessions import Workers

NAME = "evaluate"
HELP = "figures and a report of decoders on sessions, of a way to make decoders, or of a whole study"
EXAMPLE = (
    "hdemg evaluate decoder.onnx data/sub-001/ses-Session1Test --report out\n"
    "         hdemg evaluate --split repetition data/sub-*/ses-*\n"
    "         hdemg evaluate --dataset flexemg flexemg/ --report out\n"
    "         hdemg evaluate --study study/ --report out"
)
EXIT_SOME_FAILED = 1
DECODER_SUFFIX = ".onnx"
DATASETS = ("flexemg", "3dc", "grabmyo")
MAX_JOBS = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "inputs",
        type=file_path,
        nargs="*",
        metavar="DECODER|SESSION",
        help="decoder files (.onnx; several are compared) and session folders",
    )
    parser.add_argument(
        "--split",
        action="append",
        choices=("repetition", "session", "participant", "window"),
        help="train decoders and judge each on whole repetitions, sessions or participants that it has not "
        "seen; repeatable. Random windows are refused",
    )
    parser.add_argument(
        "--dataset",
        nargs=2,
        metavar=("NAME", "PATH"),
        help=f"import a public data set ({', '.join(DATASETS)}) first",
    )
    parser.add_argument("--study", type=folder, metavar="OUT", help="folder of `hdemg simulate-study`")
    parser.add_argument(
        "--report",
        type=folder,
        default=folder("evaluation-report"),
        metavar="OUT",
        help="folder for the report",
    )
    parser.add_argument(
        "--model",
        choices=("auto", "lda", "cnn"),
        default="auto",
        help="with --split: classifier, as of `hdemg train` (default: %(default)s)",
    )
    parser.add_argument("--no-learning-curve", action="store_true", help="with --split: leave it out")
    parser.add_argument(
        "--allow-training-data",
        action="store_true",
        help="also judge a decoder on sessions that it was trained on; the report marks it",
    )
    parser.add_argument(
        "--jobs", type=integer(1, MAX_JOBS), metavar="N", help="processes (default: one a core)"
    )
    parser.add_argument(
        "--dask",
        metavar="local|ADDRESS",
        help="run on a Dask cluster: of this machine, or a scheduler's address",
    )
    add_emg_choice(parser)
    add_signal(parser)
    add_margins(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate, write the report and sum it up; 1 where some sessions could not be judged."""
    from evaluation.judging.many_sessions import Workers, default_jobs

    _check(args)
    workers = Workers(args.jobs or default_jobs(), args.dask)
    with interrupt_on_sigterm(), ProgressBar("evaluate") as progress:
        if args.study is not None:
            return _study(args, workers, progress)
        if args.dataset is not None:
            with tempfile.TemporaryDirectory(prefix="hdemg-evaluate-") as temporary:
                progress("importing", 0.0)
                sessions = _imported(args.dataset[0], Path(args.dataset[1]), Path(temporary))
                return _evaluate(args, sessions, workers, progress)
        sessions = [path for path in args.inputs if path.suffix != DECODER_SUFFIX]
        return _evaluate(args, sessions, workers, progress)


def _check(args: argparse.Namespace) -> None:
    from evaluation.judging.leakage import WINDOWS_LEAK, LeakageError

    if args.split and "window" in args.split:
        raise LeakageError(WINDOWS_LEAK)
    decoders = [path for path in args.inputs if path.suffix == DECODER_SUFFIX]
    sources = [bool(args.study), bool(args.dataset), len(decoders) < len(args.inputs)]
    if sum(sources) != 1:
        raise InputError("name session folders, or --dataset NAME PATH, or --study OUT: one of the three")
    if args.study and decoders:
        raise InputError("--study makes each wearer's decoders itself: leave the decoder file out")
    if args.dataset and args.dataset[0] not in DATASETS:
        raise InputError(
            f"--dataset knows {', '.join(DATASETS)}, got {args.dataset[0]!r}; `hdemg import` reads more"
        )
    if not (decoders or args.split or args.dataset or args.study):
        raise InputError("name a decoder file (.onnx), or say by --split how to make and judge decoders")
    if decoders and args.split:
        raise InputError("a decoder file is judged as it is: leave out --split, or the decoder")
    if (args.signal or args.powerline) and (decoders or args.study):
        raise InputError(
            "a decoder file has its own signal path, a study the default one: leave out --signal and --powerline"
        )


def _imported(name: str, source: Path, out: Path) -> list[Path]:
    from emg_acquisition.recording.importers.flexemg import import_flexemg
    from emg_acquisition.recording.importers.grabmyo import import_grabmyo
    from emg_acquisition.recording.importers.threedc import import_threedc

    if name == "flexemg":
        return import_flexemg(source, out)
    return import_threedc(source, out) if name == "3dc" else import_grabmyo(source, out)


def _evaluate(
    args: argparse.Namespace,
    sessions: list[Path],
    workers: "Workers",
    progress: Callable[[str, float], None],
) -> int:
    from calibration.train_settings import TrainSettings
    from evaluation.evaluate import Question, evaluate
    from evaluation.reports.evaluation_report import write_evaluation

    decoders = [path for path in args.inputs if path.suffix == DECODER_SUFFIX]
    question = Question(
        decoders=tuple(decoders),
        sessions=tuple(sessions),
        splits=tuple(args.split or ()) if not decoders else (),
        training=TrainSettings(model=args.model, **signal_given(args).settings(), **margins_given(args)),
        emg=args.emg,
        learning_curve=not args.no_learning_curve,
        allow_training_data=args.allow_training_data,
        title=f"Evaluation of {args.dataset[0]}" if args.dataset else "Evaluation",
    )
    found = evaluate(question, workers, progress)
    for failure in found.failures:
        print(f"hdemg evaluate: not judged: {failure.folder}: {failure.reason}", file=sys.stderr)
    if not found.evidence:
        raise InputError("no session could be judged, so there is no report; the lines above say why")
    progress("writing the report", 1.0)
    report = write_evaluation(found, args.report)
    _print_summary(found, report)
    if args.json:
        print_json(_json(found, report))
    return EXIT_SOME_FAILED if found.failures else 0


def _print_summary(found: "Evaluation", report: Path) -> None:
    from evaluation.reports.verdict import verdict_of

    for group in found.groups:
        figures = group.pooled
        low, high = figures.trial_accuracy.interval
        print(
            f"{group.name}: {figures.trial_accuracy.value:.3f} of {figures.trials} trials right "
            f"({low:.3f} to {high:.3f}), {figures.window_accuracy.value:.3f} of {figures.windows} windows"
        )
        verdict = verdict_of(figures, of_training_data=group.of_training_data)
        print(f"  good enough to drive with today? {verdict.answer}")
        for limit in verdict.limits:
            print(f"  - {limit}")
    print(report)


def _json(found: "Evaluation", report: Path) -> dict[str, object]:
    from evaluation.reports.tables import number

    figures = found.groups[0].pooled
    return {
        "window_accuracy": number(figures.window_accuracy.value),
        "trial_accuracy": number(figures.trial_accuracy.value),
        "balanced_accuracy": number(figures.trial_balanced.value),
        "onset_delay_ms": number(figures.onset_delay_ms),
        "false_activations_per_h": number(figures.false_activations_per_h),
        "report": str(report),
        "decoder": found.groups[0].name,
        "sessions": len({one.folder for one in found.evidence}),
        "failed": [{"session": one.folder, "reason": one.reason} for one in found.failures],
    }


def _study(args: argparse.Namespace, workers: "Workers", progress: Callable[[str, float], None]) -> int:
    from calibration.train_settings import Margins
    from evaluation.evaluate_study import evaluate_study
    from evaluation.reports.study_report import study_figures, write_study

    study = evaluate_study(args.study, workers, Margins(**{**STUDY_MARGINS, **margins_given(args)}), progress)
    for failure in study.failures:
        print(f"hdemg evaluate: not judged: {failure.folder}: {failure.reason}", file=sys.stderr)
    if not study.wearers:
        raise InputError("no participant could be judged, so there is no report; the lines above say why")
    report = write_study(study, args.report)
    figures = study_figures(study)
    for name, line in figures.items():
        print(f"{name}: {line['mean']:.3f} of trials right in the mean of {line['participants']}")
    print(report)
    if args.json:
        print_json({"report": str(report), "participants": len(study.wearers), "conditions": figures})
    return EXIT_SOME_FAILED if study.failures else 0


# Trials of two seconds leave nothing beyond margins of one second on either side and a window.
STUDY_MARGINS = {"after_cue_s": 0.6, "before_next_s": 0.0}
