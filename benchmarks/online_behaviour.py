"""Delay from muscle onset to decision against false activations, as the smoothing varies, on flexemg.

``python benchmarks/online_behaviour.py DATA OUT`` takes the folder of the flexemg data set and writes
``online_behaviour.png`` and ``online_behaviour.json`` to OUT. Every setting is judged first on the training
recordings, each repetition by a decoder that was trained on the others: the defaults are chosen there. Then a decoder
of each training recording decodes the test recordings of the same wearer and placement, which nothing was chosen on.
"""

import argparse
import dataclasses
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add
from pathlib import Path

import matplotlib as mpl
import numpy as np

from calibration.contraction import muscle_onset, teager_kaiser_envelope
from calibration.train import train_decoder
from calibration.train_settings import TrainSettings
from decoding.decision import Decider, DecisionSettings, HopEvidence
from decoding.decoder_file import DecoderFile, load_decoder
from decoding.pipeline import DecoderPipeline, hop_filter
from decoding.signal_settings import SignalSettings
from decoding.temporal import TemporalSettings
from emg_acquisition.arrays import Float32Array
from emg_acquisition.events import REST
from emg_acquisition.recording.importers.flexemg import import_flexemg
from emg_acquisition.recording.session import EmgRecording, Session, load_session, trials
from evaluation.decisions import Decided
from evaluation.online import OnlineBehaviour, Onset, online_behaviour

TESTS = {
    "001-Session1Train": ("001-Session1Test", "001-Session2Test"),
    "002-Session1Train": ("002-Session1Test", "002-Session2Test"),
    "001-Session3Train": ("001-Session3Test",),
}
DWELLS = (1, 2, 3, 4, 6, 8, 10, 12)
LEAD_IN_S = 2.0


@dataclasses.dataclass(frozen=True)
class Stretch:
    """What a decoder, trained elsewhere, said hop by hop on a stretch of a recording."""

    decoder: DecoderFile
    sample_index: np.typing.NDArray[np.int64]
    probabilities: Float32Array
    quality: Float32Array

    def decide(self, settings: DecisionSettings, temporal: TemporalSettings | None = None) -> Decided:
        """Decide anew with other smoothing, and with or without a temporal model."""
        about = self.decoder.metadata.model_copy(update={"temporal": temporal})
        decider = Decider(settings, about.effort, about.rest_index)
        model = hop_filter(about)
        believed = model.process(self.probabilities) if model else [None] * len(self.probabilities)
        hops = zip(self.sample_index, self.probabilities, self.quality, believed, strict=True)
        found = [
            decider.process(
                HopEvidence(int(sample), probabilities, 0.0, float(quality), smoothed=of_all)
            ).gesture_index
            for sample, probabilities, quality, of_all in hops
        ]
        return Decided(self.sample_index, np.array(found, dtype=np.int64))


def main() -> None:
    """Measure, print a table, and write a figure and a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="folder of the flexemg data set")
    parser.add_argument("out", type=Path, help="folder for the figure and the table")
    parser.add_argument("--window-ms", type=float, nargs="+", default=[100.0, 150.0, 200.0])
    parser.add_argument("--spatial", choices=("none", "average", "laplacian"), default="average")
    parser.add_argument("--after-cue-s", type=float, default=TrainSettings().after_cue_s)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        import_flexemg(options.data, folder)
        sessions = {
            f"{one.parent.name[4:]}-{one.name[4:]}": load_session(one) for one in folder.glob("sub-*/ses-*")
        }
        onsets = {name: onsets_of(session) for name, session in sessions.items()}
        for window_ms in options.window_ms:
            # What training settles on for dense arrays, without weighing all candidates again for each fold.
            signal = SignalSettings(window_ms=window_ms, spatial=options.spatial)
            train = TrainSettings(signal=signal, model="lda", after_cue_s=options.after_cue_s)
            rows += _judge_window(train, sessions, onsets, folder)
    for row in rows:
        print(json.dumps(row))
    (options.out / "online_behaviour.json").write_text(json.dumps(rows, indent=1) + "\n")
    _plot(rows, options.out / "online_behaviour.png")


def _judge_window(
    train: TrainSettings,
    sessions: dict[str, Session],
    onsets: dict[str, list[Onset]],
    folder: Path,
) -> Iterator[dict[str, object]]:
    left_out = [(name, held_out(sessions[name], train, folder)) for name in TESTS]
    tested = [
        (test, [decoded(trained(sessions[name], train, folder), sessions[test], 0, None)])
        for name, tests in TESTS.items()
        for test in tests
    ]
    settings = [smoothing(dwell, dwell) for dwell in DWELLS]
    settings += [smoothing(dwell, change) for dwell in (1, 2, 3, 4) for change in (6, 8, 10)]
    for kind, stretches in (("held-out repetitions", left_out), ("test recordings", tested)):
        for decision in settings:
            found = reduce(
                add,
                (behaviour(sessions[n], onsets[n], parts, decision) for n, parts in stretches),
            )
            yield _row(kind, train, decision, found)


def smoothing(dwell: int, change: int) -> DecisionSettings:
    """Return settings with just so many votes that their majority is the dwell."""
    fields = {"dwell_hops": dwell, "change_dwell_hops": change, "vote_hops": 2 * dwell - 1}
    return DecisionSettings().model_copy(update=fields)


def behaviour(
    session: Session,
    onsets: list[Onset],
    parts: Sequence[Stretch],
    decision: DecisionSettings,
    temporal: TemporalSettings | None = None,
) -> OnlineBehaviour:
    """Judge one recording, decided anew stretch by stretch."""
    decided = [part.decide(decision, temporal) for part in parts]
    joined = Decided(
        np.concatenate([one.sample_index for one in decided]),
        np.concatenate([one.gesture_index for one in decided]),
    )
    gestures = parts[0].decoder.metadata.gestures
    return online_behaviour(joined, gestures, trials(session), onsets, session.emg.info.fs_hz)


def onsets_of(session: Session) -> list[Onset]:
    """Onsets of the gestures' trials, where they can be seen."""
    fs_hz = session.emg.info.fs_hz
    envelope = teager_kaiser_envelope(session.emg.emg_uv, fs_hz)
    cued = trials(session)
    found = []
    for before, trial in itertools.pairwise(cued):
        if trial.gesture != REST:
            sample = muscle_onset(envelope, fs_hz, trial, from_rest=before.gesture == REST)
            if sample is not None:
                found.append(Onset(trial, before.gesture, sample))
    return found


def trained(session: Session, settings: TrainSettings, folder: Path) -> DecoderFile:
    """Train on one recording."""
    silent: Callable[[str, float], None] = lambda _step, _share: None  # noqa: E731
    return load_decoder(train_decoder([session], folder / "decoder.onnx", settings, silent).decoder)


def held_out(session: Session, settings: TrainSettings, folder: Path) -> list[Stretch]:
    """Each repetition, decoded by a decoder trained on the recording without it."""
    found = []
    cued = trials(session)
    for repetition in sorted({trial.repetition for trial in cued}):
        own = [trial for trial in cued if trial.repetition == repetition]
        first, stop = own[0].start, own[-1].stop
        decoder = trained(_without(session, repetition, first, stop), settings, folder)
        found.append(decoded(decoder, session, first, stop))
    return found


def _without(session: Session, repetition: int, first: int, stop: int) -> Session:
    """Cut a repetition out; a gap in time stays, over which no window reaches."""
    kept = np.ones(len(session.emg.emg_uv), dtype=bool)
    kept[first:stop] = False
    emg = EmgRecording(session.emg.info, session.emg.emg_uv[kept], session.emg.t_lsl_s[kept])
    events = tuple(
        one for one in session.events if one.kind != "cue" or one.fields["repetition"] != repetition
    )
    return dataclasses.replace(session, emg=emg, events=events)


def decoded(decoder: DecoderFile, session: Session, first: int, stop: int | None) -> Stretch:
    """Decode a stretch, with enough before it for every filter to settle."""
    begin = max(0, first - round(LEAD_IN_S * session.emg.info.fs_hz))
    said = DecoderPipeline(decoder, session.emg.info).process(session.emg.emg_uv[begin:stop])
    said = [one for one in said if one.sample_index + begin >= first]
    return Stretch(
        decoder,
        np.array([one.sample_index + begin for one in said], dtype=np.int64),
        np.array([one.probabilities for one in said]),
        np.array([one.quality for one in said], dtype=np.float32),
    )


def _row(
    kind: str, train: TrainSettings, decision: DecisionSettings, found: OnlineBehaviour
) -> dict[str, object]:
    signal = train.signal or SignalSettings()
    both = (*found.delays_from_rest_ms, *found.delays_from_gesture_ms)
    return {
        "judged_on": kind,
        "window_ms": signal.window_ms,
        "hop_ms": signal.hop_ms,
        "spatial": signal.spatial,
        "after_cue_s": train.after_cue_s,
        "dwell_hops": decision.dwell_hops,
        "change_dwell_hops": decision.change_dwell_hops,
        "vote_hops": decision.vote_hops,
        "delay_ms": round(float(np.median(both))),
        "delay_from_rest_ms": round(float(np.median(found.delays_from_rest_ms))),
        "delay_from_rest_p90_ms": _percentile(found.delays_from_rest_ms),
        "delay_from_gesture_ms": round(float(np.median(found.delays_from_gesture_ms))),
        "false_activations_per_min": round(found.false_activations_per_min, 2),
        "rest_min": round(found.rest_s / 60.0, 1),
        "through_third": found.through_third,
        "beginnings": len(both),
        "missed": int(np.isinf(both).sum()),
    }


def _percentile(delays_ms: Sequence[float]) -> float:
    return round(float(np.percentile(delays_ms, 90, method="lower")))


def _plot(rows: Sequence[dict[str, object]], path: Path) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the choice of a backend

    figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharex=True)
    for window_ms in sorted({float(str(row["window_ms"])) for row in rows}):
        for kind, style in (("held-out repetitions", "--"), ("test recordings", "-")):
            curve = [
                row
                for row in rows
                if (row["judged_on"], row["window_ms"]) == (kind, window_ms)
                and row["dwell_hops"] == row["change_dwell_hops"]
            ]
            delay = [row["delay_from_rest_ms"] for row in curve]
            label = f"window {window_ms:g} ms, {kind}"
            panels[0].plot(delay, [row["false_activations_per_min"] for row in curve], style, marker=".")
            share = [100.0 * row["through_third"] / row["beginnings"] for row in curve]  # type: ignore[operator]
            panels[1].plot(delay, share, style, marker=".", label=label)
    panels[0].set_ylabel("false activations in a minute of rest")
    panels[1].set_ylabel("beginnings through a third gesture / %")
    for panel in panels:
        panel.set_xlabel("median delay from muscle onset at rest / ms")
        panel.axvline(200.0, color="0.7", lw=0.8)
    panels[1].legend(fontsize=7)
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    main()
