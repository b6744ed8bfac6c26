"""The report of an evaluation: the answer in words first, then what it rests on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emg_acquisition.errors import InputError
from evaluation.judging.figures import Figures, Measured
from evaluation.reports import page
from evaluation.reports.evaluation import Evaluation, Group
from evaluation.reports.pictures import (
    confusion_picture,
    curve_picture,
    delays_picture,
    dots_picture,
    rejection_picture,
    reliability_picture,
)
from evaluation.reports.tables import evaluation_json, session_rows, trial_rows, write_csv, write_json
from evaluation.reports.verdict import Verdict, verdict_of

REPORT, FIGURES, SESSIONS, TRIALS = "report.html", "figures.json", "sessions.csv", "trials.csv"
DEFAULT_THRESHOLD = 0.6
# A trial of which so much was decided as one other gesture was likely asked, or made, otherwise than it is labelled.
DOUBTFUL_SHARE = 0.8
MOST_DOUBTFUL = 20
HOW = (
    "Trials are judged by their decisions, rejected and smoothed as live: the most frequent one, and no decision is "
    "wrong. Windows are judged by their most probable gesture alone. Both leave out the margins around cue changes, "
    "where labels follow the cue and not the muscle. Intervals are 95 %, by bootstrap over whole trials, and over "
    "participants first where there are several. Decoders that were made for the evaluation never saw a trial of "
    "what they were judged on."
)


def write_evaluation(evaluation: Evaluation, out: Path) -> Path:
    """Write ``report.html``, ``figures.json``, ``sessions.csv`` and ``trials.csv``; returns the report's path.

    Raises
    ------
    InputError
        If nothing could be judged.
    """
    if not evaluation.evidence:
        msg = "no session could be judged"
        raise InputError(msg)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / FIGURES, evaluation_json(evaluation))
    write_csv(out / SESSIONS, session_rows(evaluation))
    write_csv(out / TRIALS, trial_rows(evaluation.evidence))
    return page.write_page(out / REPORT, evaluation.title, _parts(evaluation))


def _parts(evaluation: Evaluation) -> Iterator[str]:
    yield page.heading("Is this decoder good enough to drive with today, and what limits it?")
    for group in evaluation.groups:
        yield from answer_parts(group)
    yield from _failures(evaluation)
    yield from _comparison(evaluation)
    if evaluation.curves:
        yield page.heading("What more repetitions bring")
        says = "Trained on so many repetitions, judged on all others of the session: each session, and their mean."
        yield page.figures([page.figure(curve_picture(evaluation.curves), says)])
    for group in evaluation.groups:
        yield from _details(group)
    yield page.heading("How it was judged")
    yield page.paragraph(HOW)


def answer_parts(group: Group) -> Iterator[str]:
    """Give a decoder's answer in words, what limits it, and the rules."""
    verdict = verdict_of(group.pooled, of_training_data=group.of_training_data)
    yield page.heading(group.name, 3)
    if group.of_training_data:
        yield page.paragraph(
            "Some of these sessions were used to train the decoder. These figures say nothing about new data.",
            "loud",
        )
    limits = "".join(f"<li>{page.escape(text)}</li>" for text in verdict.limits)
    yield (
        f"<div class='answer {verdict.level}'><p><strong>{page.escape(verdict.answer)}</strong></p>"
        + (f"<p>What limits it:</p><ol>{limits}</ol>" if limits else "")
        + f"<p>{page.escape(_reach(group))}</p></div>"
    )
    yield _rules(verdict)


def _reach(group: Group) -> str:
    figures = group.pooled
    persons = "one participant" if figures.participants == 1 else f"{figures.participants} participants"
    sessions = "one session" if figures.sessions == 1 else f"{figures.sessions} sessions"
    said = f"This rests on {figures.trials} trials of {persons} in {sessions}."
    if "by repetition" in group.name:
        said += " Judged within one sitting: it does not speak of a sleeve that is put on anew."
    return said + " It is offline: how people correct what they see is not in it."


def _rules(verdict: Verdict) -> str:
    names = {"good": "good", "care": "with care", "bad": "not good", "unknown": "not known"}
    rows = [(one.name, one.measured, names[one.level], one.rule) for one in verdict.findings]
    return page.table("The rules", ("what", "measured", "level", "rule"), rows, words=True)


def _failures(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.failures:
        yield page.heading("Not judged")
        rows = [(one.folder, one.reason) for one in evaluation.failures]
        yield page.table("Left out, and why", ("session", "reason"), rows, words=True)


def _comparison(evaluation: Evaluation) -> Iterator[str]:
    rows = [
        (
            pair.first,
            pair.second,
            test.name,
            test.pairs,
            test.first_better,
            test.second_better,
            page.p_value(test.p_value),
        )
        for pair in evaluation.comparisons
        for test in pair.tests
    ]
    if rows:
        heads = ("first", "second", "test", "pairs", "first better", "second better", "p, two-sided")
        yield page.heading("Against each other")
        yield page.table("On the trials that both were judged on", heads, rows, words=True)


def _details(group: Group) -> Iterator[str]:
    figures = group.pooled
    yield page.heading(group.name)
    yield page.table("Figures", ("figure", "value"), figure_rows(figures), words=True)
    yield page.figures(_pictures(figures))
    if len(group.evidence) > 1:
        yield page.figures([page.figure(_by_session(group), "Trials and windows right, session by session.")])
    yield _session_table(group)
    yield from _doubtful(group)
    remarks = sorted({remark for one in group.evidence for remark in one.remarks})
    if remarks:
        yield "<ul>" + "".join(f"<li>{page.escape(remark)}</li>" for remark in remarks) + "</ul>"


def figure_rows(figures: Figures) -> list[tuple[str, str]]:
    """List the figures in words, for a table."""
    holds = figures.holds
    delay, late = figures.onset_delay_ms, figures.onset_delay_p90_ms
    rate, third = figures.false_activations_per_h, figures.through_third_share
    return [
        ("trials right", _with_interval(figures.trial_accuracy)),
        ("trials right, mean over gestures (balanced)", _with_interval(figures.trial_balanced)),
        ("trials, macro-F1", page.share(figures.trial_macro_f1)),
        ("windows right", _with_interval(figures.window_accuracy)),
        ("windows right, mean over gestures (balanced)", _with_interval(figures.window_balanced)),
        ("windows, macro-F1", page.share(figures.window_macro_f1)),
        ("trials right, mean over participants", _with_interval(figures.over_participants)),
        ("expected calibration error", page.share(figures.reliability.expected_error)),
        (
            "delay from muscle onset out of rest",
            "-" if delay is None else f"median {delay:.0f} ms, 90 % {late:.0f} ms",
        ),
        ("beginnings through a third gesture", page.share(third)),
        ("false activations", "-" if rate is None else f"{rate:.1f} an hour"),
        ("usable commands in a hold", page.share(holds.usable_commands)),
        ("wrong commands in a hold", page.share(holds.wrong_commands)),
        ("stability: right, once it was right", page.share(holds.stability)),
        ("breaks a hold", f"{holds.interruptions_per_hold:.2f}"),
        (
            "information a trial",
            f"{figures.bits_per_trial:.2f} bit (Wolpaw: {figures.wolpaw_bits_per_trial:.2f})",
        ),
        ("information at the pace of the cues", f"{figures.bits_per_min:.1f} bit/min"),
        (
            "judged",
            f"{figures.trials} trials, {figures.windows} windows; {figures.too_short} trials too short",
        ),
    ]


def _with_interval(measured: Measured) -> str:
    low, high = measured.interval
    return f"{page.share(measured.value)} ({page.share(low)} to {page.share(high)})"


def _pictures(figures: Figures) -> Iterator[str]:
    says = "Trials asked (rows) and decided (columns)."
    yield page.figure(confusion_picture(figures.trial_counts, figures.gestures), says)
    says = "Windows by the confidence put in them; on the line, probabilities mean what they say."
    yield page.figure(reliability_picture(figures.reliability), says)
    says = f"What a threshold keeps and how right that is; {DEFAULT_THRESHOLD:g} is the default."
    yield page.figure(rejection_picture(figures.rejection, DEFAULT_THRESHOLD), says)
    behaviour = figures.behaviour
    if behaviour is not None and behaviour.delays_from_rest_ms:
        says = "How soon a gesture out of rest was decided; the line is 300 ms."
        yield page.figure(delays_picture(behaviour.delays_from_rest_ms), says)


def _by_session(group: Group) -> str:
    names = [f"{one.participant} {one.session}" for one in group.evidence]
    trials = [one.trial_accuracy.value for one in group.by_session]
    windows = [one.window_accuracy.value for one in group.by_session]
    low = [one.trial_accuracy.interval.low for one in group.by_session]
    high = [one.trial_accuracy.interval.high for one in group.by_session]
    return dots_picture(names, {"trials": trials, "windows": windows}, low, high)


def _session_table(group: Group) -> str:
    heads = (
        "session",
        "trials",
        "trials right",
        "balanced",
        "windows right",
        "delay / ms",
        "false an hour",
        "usable",
    )
    rows = [
        (
            f"{one.participant} {one.session}",
            found.trials,
            _with_interval(found.trial_accuracy),
            page.share(found.trial_balanced.value),
            page.share(found.window_accuracy.value),
            "-" if found.onset_delay_ms is None else f"{found.onset_delay_ms:.0f}",
            "-" if found.false_activations_per_h is None else f"{found.false_activations_per_h:.1f}",
            page.share(found.holds.usable_commands),
        )
        for one, found in zip(group.evidence, group.by_session, strict=True)
    ]
    return page.table("By session", heads, rows)


def _doubtful(group: Group) -> Iterator[str]:
    """List trials that were decided as one other gesture nearly throughout: mislabelled, or made otherwise."""
    rows = []
    for one in group.evidence:
        for k in one.judged:
            said, decided = one.decision_of(k), one.hops.decided[one.steady_hops(k)]
            if said not in {-1, one.truth(k)} and np.mean(decided == said) >= DOUBTFUL_SHARE:
                trial = one.cued[k]
                place = f"{trial.start / one.fs_hz:.0f} s"
                rows.append(
                    (
                        f"{one.participant} {one.session}",
                        trial.trial,
                        place,
                        trial.gesture,
                        one.gestures[said],
                    )
                )
    if rows:
        caption = f"Trials decided as another gesture nearly throughout ({len(rows)}): look at them first, labels too"
        heads = ("session", "trial", "begins", "asked", "decided")
        yield page.table(caption, heads, rows[:MOST_DOUBTFUL], words=True)
