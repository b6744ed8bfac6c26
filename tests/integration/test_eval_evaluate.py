"""`hdemg evaluate` on session folders: figures, leaks that are refused, bad sessions, many workers, the page."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from scipy import signal as scipy_signal
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from calibration.train import train_decoder
from calibration.train_settings import Margins, TrainSettings
from emg_acquisition.recording.session import load_session, trials
from evaluation.evaluate import Question, evaluate
from evaluation.judging.by_decoder import judge_decoder
from evaluation.judging.figures import figures_of
from evaluation.judging.leakage import LeakageError
from evaluation.judging.many_sessions import Workers
from evaluation.reports.tables import evaluation_json
from tests.dec_support import stream_info
from tests.eval_support import write_session
from ui.cli import EXIT_BAD_INPUT, main

HERE = Workers(1)


def quiet(_step: str, _share: float) -> None:
    pass


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Three sessions of one participant, a decoder of the first, and four sessions that are no good."""
    root = tmp_path_factory.mktemp("corpus")
    found = {name: write_session(root, name, seed=k) for k, name in enumerate(("S1", "S2", "S3"))}
    found["decoder"] = train_decoder(
        [load_session(found["S1"])], root / "decoder.onnx", TrainSettings(model="lda"), quiet
    ).decoder
    found["truncated"] = write_session(root, "truncated", seed=7)
    recording = found["truncated"] / "recording.xdf"
    recording.write_bytes(recording.read_bytes()[:-5000])
    found["mislabelled"] = write_session(root, "mislabelled", seed=8, renamed={"fist": "wave"})
    found["rate"] = write_session(root, "rate", seed=9, info=stream_info(fs_hz=2000.0))
    found["empty"] = root / "sub-P01" / "ses-empty"
    found["empty"].mkdir()
    return found


def test_windows_and_trials_are_what_scikit_learn_makes_of_them(corpus):
    """The truth and the windows that count are worked out here anew, from the cues alone."""
    evidence = judge_decoder(corpus["decoder"], corpus["S2"], None, Margins(), allow_training_data=False)
    session = load_session(corpus["S2"])
    truth, said = [], []
    for trial in trials(session):
        for newest, probabilities in zip(
            evidence.hops.sample_index, evidence.hops.probabilities, strict=True
        ):
            if newest - 199 >= trial.start + 1000 and newest < trial.stop - 1000:
                truth.append(trial.gesture)
                said.append(evidence.gestures[int(np.argmax(probabilities))])
    figures = figures_of([evidence])
    assert figures.windows == len(truth) == 9 * 33
    assert figures.window_accuracy.value == pytest.approx(accuracy_score(truth, said), abs=1e-12)
    assert figures.window_balanced.value == pytest.approx(balanced_accuracy_score(truth, said), abs=1e-12)
    assert figures.window_macro_f1 == pytest.approx(f1_score(truth, said, average="macro"), abs=1e-12)
    assert figures.window_accuracy.value > 0.95
    assert figures.trials == 9


def test_decoders_made_without_a_repetition_agree_with_scikit_learn_on_the_same_split(corpus):
    """An LDA of scikit-learn's, on log-RMS computed with scipy, is as right as ours where both are nearly perfect."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_score

    session = load_session(corpus["S2"])
    sos = scipy_signal.butter(4, (20, 400), "bandpass", fs=1000, output="sos")
    emg_uv = scipy_signal.sosfilt(sos, session.emg.emg_uv.astype(float) - session.emg.emg_uv[0], axis=0)
    features, labels, groups = [], [], []
    for trial in trials(session):
        for first in range(trial.start + 1000, trial.stop - 1200 + 1, 25):
            window = emg_uv[first : first + 200]
            features.append(np.log(np.maximum(np.sqrt(np.mean(window**2, axis=0)), 5.0)))
            labels.append(trial.gesture)
            groups.append(trial.repetition)
    lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    theirs = cross_val_score(lda, np.array(features), labels, groups=groups, cv=LeaveOneGroupOut()).mean()
    question = Question((), (corpus["S2"],), ("repetition",), learning_curve=False)
    ours = figures_of(evaluate(question, HERE, quiet).evidence).window_accuracy.value
    assert ours == pytest.approx(theirs, abs=0.02)


def test_a_decoder_is_not_judged_by_what_taught_it_unless_the_report_says_so(corpus):
    with pytest.raises(LeakageError, match="trained on this very recording"):
        judge_decoder(corpus["decoder"], corpus["S1"], None, Margins(), allow_training_data=False)
    question = Question((corpus["decoder"],), (corpus["S1"],), allow_training_data=True)
    found = evaluate(question, HERE, quiet)
    assert found.groups[0].of_training_data
    (decoder,) = evaluation_json(found)["decoders"]
    assert decoder["answer"].startswith("Unknown: ")


def test_a_copy_under_another_name_is_found_by_its_hash(corpus, tmp_path):
    copy = tmp_path / "sub-P09" / "ses-copy"
    shutil.copytree(corpus["S1"], copy)
    with pytest.raises(LeakageError, match="same recording"):
        evaluate(Question((), (corpus["S1"], corpus["S2"], copy), ("session",)), HERE, quiet)
    found = evaluate(Question((corpus["decoder"],), (copy,)), HERE, quiet)
    assert not found.evidence
    assert "training data" in found.failures[0].reason


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--split", "window", "{S1}"],
            r"share seven eighths .* split by repetition, session or participant",
        ),
        (["{S1}"], "--split"),
        (["{decoder}"], "name session folders"),
        (["{decoder}", "{S1}", "--split", "session"], "judged as it is"),
        (["--split", "participant", "{S1}", "{S2}"], "needs two participants"),
        (["--dataset", "nothing", "."], "knows flexemg, 3dc, grabmyo"),
        (["--study", "{empty}"], "simulate-study"),
        (["{decoder}", "{empty}"], "no session could be judged"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_line(corpus, tmp_path, capsys, arguments, says):
    given = [argument.format(**{name: str(path) for name, path in corpus.items()}) for argument in arguments]
    assert main(["evaluate", *given, "--jobs", "1", "--report", str(tmp_path / "out")]) == EXIT_BAD_INPUT
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.search(says, last), last
    assert last.startswith("hdemg evaluate: error: ")
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def report(corpus, tmp_path_factory):
    """The report of a command that was given bad sessions among good ones; what it printed, and its status."""
    import contextlib
    import io

    out = tmp_path_factory.mktemp("report")
    bad = [str(corpus[name]) for name in ("truncated", "mislabelled", "rate", "empty")]
    good = [str(corpus[name]) for name in ("S2", "S3")]
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        status = main(
            [
                "evaluate",
                str(corpus["decoder"]),
                *bad[:2],
                *good,
                *bad[2:],
                "--json",
                "--jobs",
                "1",
                "--report",
                str(out),
            ]
        )
    return out, status, said.getvalue(), complained.getvalue()


def test_bad_sessions_have_a_line_each_and_the_others_are_judged(report):
    out, status, said, complained = report
    assert status == 1
    lines = [line for line in complained.splitlines() if "not judged" in line]
    assert len(lines) == 4
    for name, says in (
        ("ses-truncated", "truncated"),
        ("ses-mislabelled", "labelled with wave"),
        ("ses-rate", "2000 Hz, trained at 1000 Hz"),
        ("ses-empty", "holds no session.yaml"),
    ):
        (line,) = [line for line in lines if name in line]
        assert says in line
    last = json.loads(said.splitlines()[-1])
    assert last["sessions"] == 2
    assert last["trial_accuracy"] == 1.0
    assert last["window_accuracy"] > 0.95
    assert {"balanced_accuracy", "onset_delay_ms", "false_activations_per_h", "report"} <= set(last)
    assert len(last["failed"]) == 4
    figures = json.loads((out / "figures.json").read_text())
    assert figures["decoders"][0]["pooled"]["trials"] == 18
    assert len((out / "trials.csv").read_text().splitlines()) == 19
    assert len((out / "sessions.csv").read_text().splitlines()) == 3


def test_the_page_needs_no_network_and_answers_in_words(report):
    text = (report[0] / "report.html").read_text()
    assert "good enough to drive with today" in text
    assert "<script" not in text
    assert not re.search(r"(src|href)='(?!data:)", text)
    assert text.count("<img ") == text.count("data:image/svg+xml;base64,") >= 4


def test_the_page_in_a_browser(report, tmp_path):
    """Every figure is drawn, nothing is complained of, and it prints."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("no chromium on this machine: the page was not opened in a browser")
    measuring = (
        "<script>addEventListener('load', () => document.body.setAttribute('data-drawn', "
        "[...document.images].map(i => i.complete && i.naturalWidth > 100 && "
        "i.getBoundingClientRect().width > 100).join()))</script></body>"
    )
    text = (report[0] / "report.html").read_text()
    page = tmp_path / "page.html"
    page.write_text(text.replace("</body>", measuring))
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    )
    flags += " --disable-component-update --disable-sync --enable-logging=stderr"
    command = [browser, *flags.split(), f"--user-data-dir={tmp_path / 'profile'}"]
    dom = subprocess.run(
        [*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=300, check=True
    )
    drawn = re.search(r'data-drawn="([^"]*)"', dom.stdout).group(1).split(",")
    assert drawn == ["true"] * text.count("<img ")
    assert "CONSOLE" not in dom.stderr
    printed = tmp_path / "page.pdf"
    subprocess.run(
        [*command, f"--print-to-pdf={printed}", page.as_uri()], capture_output=True, timeout=300, check=True
    )
    assert printed.read_bytes().startswith(b"%PDF")
    assert printed.stat().st_size > 20_000


def test_any_number_of_workers_finds_the_same(corpus):
    sessions = (corpus["S2"], corpus["truncated"], corpus["S3"])
    question = Question((corpus["decoder"],), sessions)
    alone = evaluation_json(evaluate(question, HERE, quiet))
    assert len(alone["sessions"]) == 2
    assert evaluation_json(evaluate(question, Workers(2), quiet)) == alone


@pytest.mark.slow
def test_a_dask_cluster_finds_the_same(corpus, tmp_path):
    pytest.importorskip("distributed")
    arguments = ["evaluate", str(corpus["decoder"]), str(corpus["S2"]), str(corpus["S3"]), "--jobs", "1"]
    found = []
    for where in ([], ["--dask", "local"]):
        out = tmp_path / f"out{len(found)}"
        assert main([*arguments, *where, "--report", str(out)]) == 0
        found.append((out / "figures.json").read_bytes())
        found.append((out / "report.html").read_bytes())
    assert found[:2] == found[2:]


def test_every_way_of_leaving_out_and_the_learning_curve(corpus, tmp_path):
    other = write_session(tmp_path, "S1", participant="P02", seed=21)
    single = write_session(tmp_path, "S2", participant="P02", seed=22, repetitions=1)
    sessions = (corpus["S1"], corpus["S2"], other, single, corpus["rate"])
    found = evaluate(Question((), sessions), HERE, quiet)
    by_name = {group.name: group for group in found.groups}
    assert set(by_name) == {
        f"auto, left out by {split}" for split in ("repetition", "session", "participant")
    }
    assert [len(group.evidence) for group in by_name.values()] == [3, 4, 4]
    assert all(group.pooled.trial_accuracy.value == 1.0 for group in by_name.values())
    reasons = {one.folder: one.reason for one in found.failures}
    assert "2000 Hz" in reasons[str(corpus["rate"])]
    assert "single repetition" in reasons[str(single)]
    assert {point.repetitions for point in found.curves} == {1, 2}


def test_two_decoders_are_compared_on_the_same_trials(corpus, tmp_path):
    deaf = train_decoder(
        [
            load_session(
                write_session(tmp_path, "odd", seed=30, renamed={"fist": "hand_open", "hand_open": "fist"})
            )
        ],
        tmp_path / "swapped.onnx",
        TrainSettings(model="lda"),
        quiet,
    ).decoder
    question = Question((corpus["decoder"], deaf), (corpus["S2"], corpus["S3"]))
    found = evaluate(question, HERE, quiet)
    (pair,) = found.comparisons
    (test,) = pair.tests
    # Twelve trials of the two gestures that were swapped: p = 2 / 2^12.
    assert (test.first_better, test.second_better, test.pairs) == (12, 0, 18)
    assert test.p_value == pytest.approx(2 / 2**12)
    from evaluation.reports.evaluation_report import write_evaluation

    text = write_evaluation(found, tmp_path / "out").read_text()
    assert "Trials decided as another gesture nearly throughout (12)" in text
