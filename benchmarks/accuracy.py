"""Accuracy on real recordings, by trial-wise splits: makes the tables of docs/accuracy.md.

Run ``python benchmarks/accuracy.py DATA_FOLDER`` (about five minutes on one core), or with ``--only within`` and so on.
DATA_FOLDER holds ``flexemg/``, ``libemg3dc_npz/`` and ``grabmyo_p1s1/``; what is absent is left out, with a line that
says so. Every decoder is made by `train_decoder`, `recalibrate` or `carry_over` and judged as its file runs live.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from accuracy_data import drifting, flexemg_sessions, grabmyo_session, threedc_sessions
from accuracy_judge import Judge, Score, as_decided, threshold_free

from calibration.grid_shift import RecalibrationError
from calibration.recalibrate import carry_over, recalibrate
from calibration.train import train_decoder
from calibration.train_settings import TrainSettings
from calibration.training_set import quiet
from decoding.decoder_file import DecoderFile, load_decoder
from decoding.drift import DriftSettings
from decoding.signal_settings import SignalSettings
from emg_acquisition.recording.session import Session
from evaluation.evaluate_study import of_repetitions

PAGE = Path(__file__).parent.parent / "docs" / "accuracy.md"
REPETITIONS = range(1, 11)
BASELINE = SignalSettings()


def within(data: Path) -> str:
    """One repetition of each gesture, tested on the other nine of its recording."""
    rows = []
    for name, session in flexemg_sessions(data).items():
        judge, ours, base = Judge(session), [], []
        for one in REPETITIONS:
            others = [k for k in REPETITIONS if k != one]
            known = of_repetitions(session, [one])
            ours.append(judge.score(_trained(known), others))
            base.append(judge.score(_trained(known, BASELINE), others))
        rows.append((name, _mean(ours), _worst(ours), _trials(ours), _mean(base), _worst(base)))
    heads = ("recording", "mean", "worst repetition", "trials", "baseline mean", "baseline worst")
    return _table(heads, rows)


def unlabelled(data: Path) -> str:
    """Session 1 to session 3 of participant 001 without labels."""
    sessions = flexemg_sessions(data)
    old = _trained(sessions["001-Session1Train"])
    new, test = sessions["001-Session3Train"], sessions["001-Session3Test"]
    judge = Judge(test)
    later = [k for k in REPETITIONS if k != 1]
    each = [of_repetitions(new, [k]) for k in REPETITIONS]
    none = judge.score(old, REPETITIONS)
    rows = [("none: the old decoder as it is", "Session3Test", *_figures([none]), "")]
    for label, tested, parts, repetitions in (
        ("Session3Train, all of it", "Session3Test", [new], REPETITIONS),
        ("one repetition of Session3Train (28 s), each in turn", "Session3Test", each, REPETITIONS),
        ("the first repetition of Session3Test (28 s)", "the other nine", [of_repetitions(test, [1])], later),
    ):
        made = [_made(lambda out, part=part: carry_over(old, [part], out, quiet)) for part in parts]
        scores = [judge.score(decoder, repetitions) for decoder in made if decoder is not None]
        rows.append((label, tested, *_figures(scores), f"{made.count(None)} of {len(made)}"))
    return _table(("unlabelled activity", "tested on", "windows, mean", "worst", "trials", "refused"), rows)


def donning(data: Path) -> str:
    """Session 3 put on anew: one or two labelled repetitions, with and without the decoder of session 1."""
    sessions = flexemg_sessions(data)
    old = _trained(sessions["001-Session1Train"])
    new, judge = sessions["001-Session3Train"], Judge(sessions["001-Session3Test"])
    rows = []
    for count in (1, 2):
        parts = [of_repetitions(new, one) for one in combinations(REPETITIONS, count)]
        for label, make in (
            ("baseline: log-RMS without reference, afresh", lambda part: _trained(part, BASELINE)),
            ("`hdemg train`: afresh", _trained),
            ("`hdemg recalibrate`: on top of session 1", lambda part: _recalibrated(old, part)),
        ):
            scores = [judge.score(make(part), REPETITIONS) for part in parts]
            rows.append((f"{count} ({len(parts)} runs)", label, *_figures(scores)))
    return _table(("repetitions", "way", "windows, mean", "worst", "trials"), rows)


def threedc(data: Path) -> str:
    """3DC: eleven classes, train to test."""
    rows, ours, base = [], [], []
    for name, (train, test) in threedc_sessions(data).items():
        decoder, judge = _trained(train), Judge(test)
        about = decoder.metadata
        ours.append(judge.score(decoder, None))
        base.append(judge.score(_trained(train, BASELINE), None))
        expected = f"{about.held_out.window_accuracy:.4f}"
        rows.append((name, about.made_of, _mean(ours[-1:]), _trials(ours[-1:]), expected, _mean(base[-1:])))
    rows.append(("mean", "", _mean(ours), _trials(ours), "", _mean(base)))
    return _table(("participant", "made of", "windows", "trials", "held-out estimate", "baseline"), rows)


def threedc_recalibrated(data: Path) -> str:
    """3DC: 1 or 2 repetitions of the second recording on top of the first, tested on its other repetitions."""
    rows = []
    for name, (train, test) in threedc_sessions(data).items():
        old, judge = _trained(train, model="lda"), Judge(test)
        repetitions = sorted({trial.repetition for trial in judge.cued})
        for count in (1, 2):
            fresh, ours = [], []
            for one in combinations(repetitions, count):
                others = [k for k in repetitions if k not in one]
                part = of_repetitions(test, one)
                fresh.append(judge.score(_trained(part, old.metadata.signal, "lda"), others))
                ours.append(judge.score(_recalibrated(old, part), others))
            worse = sum(b.windows < a.windows for a, b in zip(fresh, ours, strict=True))
            rows.append((name, str(count), _mean(fresh), _mean(ours), f"{worse} of {len(ours)}"))
    return _table(("participant", "repetitions", "afresh", "recalibrated", "worse than afresh"), rows)


def grabmyo(data: Path) -> str:
    """GRABMyo excerpt: four gestures without rest, trials 1-4 to 5-7."""
    session = grabmyo_session(data)
    ours, base = (threshold_free(session, range(1, 5), range(5, 8), signal) for signal in (None, BASELINE))
    row = (ours.made_of, _mean([ours]), _trials([ours]), f"{ours.held_out:.4f}", _mean([base]))
    return _table(("made of", "windows", "trials", "held-out estimate", "baseline"), [row])


def drift(data: Path) -> str:
    """Drift followed in use, off and on: recordings as they are, and with electrodes that fade or grow."""
    sessions = flexemg_sessions(data)
    rows = []
    for trained, tested in (
        ("001-Session1Train", "001-Session1Test"),
        ("001-Session1Train", "001-Session2Test"),
        ("002-Session1Train", "002-Session2Test"),
    ):
        off = _trained(sessions[trained])
        on = replace(off, metadata=off.metadata.model_copy(update={"drift": DriftSettings()}))
        for spread in (0.0, 0.5, 1.0):
            test = drifting(sessions[tested], spread)
            figures = [f"{as_decided(decoder, test):.4f}" for decoder in (off, on)]
            rows.append((trained, tested, f"{spread:g}", *figures))
    return _table(("trained on", "tested on", "drift by the end, log units", "off", "on"), rows)


TABLES: dict[str, Callable[[Path], str]] = {
    "within": within,
    "unlabelled": unlabelled,
    "donning": donning,
    "3dc": threedc,
    "3dc-recalibrated": threedc_recalibrated,
    "grabmyo": grabmyo,
    "drift": drift,
}


def _trained(session: Session, signal: SignalSettings | None = None, model: str = "auto") -> DecoderFile:
    settings = TrainSettings.model_validate({"signal": signal, "model": model})
    made = _made(lambda out: train_decoder([session], out, settings, quiet))
    if made is None:
        msg = "training was refused"
        raise RuntimeError(msg)
    return made


def _recalibrated(old: DecoderFile, session: Session) -> DecoderFile:
    made = _made(lambda out: recalibrate(old, [session], out, quiet))
    if made is None:
        msg = "recalibration was refused"
        raise RuntimeError(msg)
    return made


def _made(make: Callable[[Path], object]) -> DecoderFile | None:
    """Make a decoder file and load it; None where its own evidence refused it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "decoder.onnx"
        try:
            make(out)
        except RecalibrationError as error:
            print(f"refused: {error}", file=sys.stderr)
            return None
        return load_decoder(out)


def _mean(scores: Sequence[Score]) -> str:
    return f"{np.mean([score.windows for score in scores]):.4f}"


def _worst(scores: Sequence[Score]) -> str:
    return f"{min(score.windows for score in scores):.4f}"


def _trials(scores: Sequence[Score]) -> str:
    return f"{np.mean([score.trials for score in scores]):.4f}"


def _figures(scores: Sequence[Score]) -> tuple[str, str, str]:
    return (_mean(scores), _worst(scores), _trials(scores)) if scores else ("-", "-", "-")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Make the tables, print them, and put them in their places in the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of recordings")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES), help="which tables")
    parser.add_argument(
        "--page", type=Path, default=PAGE, help="page to put them in (default: docs/accuracy.md)"
    )
    args = parser.parse_args()
    for name in args.only:
        try:
            table = TABLES[name](args.data)
        except FileNotFoundError as error:
            print(f"{name}: left out, {error}", file=sys.stderr)
            continue
        print(f"## {name}\n\n{table}\n", flush=True)
        _put(args.page, name, table)


def _put(page: Path, name: str, table: str) -> None:
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    text = page.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        print(f"{page} has no place for {name}: {begin} and {end}", file=sys.stderr)
        return
    page.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
