"""How well bad channels are found in real EMG: faults injected at random, and alarms where none was.

Run: ``python benchmarks/quality_detection.py DATA_FOLDER`` (some minutes), the folder as ``docs/signal_quality.md``
describes it: flexemg, GRABMyo and 3DC recordings. Thresholds were chosen on participant 002 of flexemg, P01 of 3DC
and gesture 11 of GRABMyo; the figures that count are those of the recordings held out.

*Recall.* Second by second, a tenth of the channels that an offline criterion calls good get a fault of random kind.
It is *found* if any state but good is reported within 1 s, *named* if the right one is.

*False alarms.* On the recordings as they are: the share of channel-seconds with any report but good, over all channels
and over those that the offline criterion calls good. That criterion (`naturally_bad`) sees the whole recording at once
and shares no code with the detector.
"""

import argparse
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.io
import scipy.signal

from benchmarks.electrode_faults import FAULTS, Amplifier
from emg_acquisition.quality.monitor import ChannelState, QualityMonitor

BEFORE_S = 1.0
WITHIN_S = 1.0
SHARE_OF_CHANNELS = 0.1
TUNED_ON = ("flexemg 002", "3DC P01", "GRABMyo gesture 11")
# The 3DC files hold counts without a unit: 0.2 uV a count gives contractions of the usual strength.
UV_PER_3DC_COUNT = 0.2
MAD_TO_SD = 1.4826
LEAST_S = 3.0
# The offline criterion's own limits; see `naturally_bad`.
WELCH_MAINS_UV = 20.0
WELCH_LINE_HZ = 1.5
WELCH_BESIDE_HZ = (2.5, 8.0)
OUTLYING_SD = 5.0
# A recording of few channels or seconds gets its faults in several rounds.
LEAST_INJECTED = 600


@dataclass(frozen=True)
class Recording:
    """Segments of one wearing, each (n_samples, n_channels) in microvolts."""

    name: str
    amplifier: Amplifier
    segments: tuple[npt.NDArray[np.float32], ...]

    @property
    def tuned(self) -> bool:
        """Whether thresholds were chosen on it."""
        return self.name.startswith(TUNED_ON)


def flexemg(folder: Path, names: tuple[str, ...] = ()) -> Iterator[Recording]:
    """64 electrodes at 1 kHz, direct current passes; only some recordings where they are named."""
    data = folder / "flexemg" / "data"
    for recording in sorted(path for path in data.iterdir() if path.is_dir()):
        if names and recording.name not in names:
            continue
        segments = []
        # Unsigned counts, put about zero as a driver delivers them: nothing is not a rail then.
        for path in sorted(recording.glob("*.mat")):
            content = scipy.io.loadmat(path, squeeze_me=True, struct_as_record=False)
            uv_per_count = float(content["p"].lsbmV) * 1000.0
            counts = content["raw"][:, :64].astype(np.float64) - 32768.0
            segments.append((counts * uv_per_count).astype(np.float32))
        amplifier = Amplifier(1000.0, (-32768 * uv_per_count, 32767 * uv_per_count), uv_per_count, None, 60.0)
        yield Recording(f"flexemg {recording.name}", amplifier, tuple(segments))


def three_dc(folder: Path) -> Iterator[Recording]:
    """10 electrodes at 1 kHz, 20 Hz high-pass."""
    limit_uv = 32768 * UV_PER_3DC_COUNT
    amplifier = Amplifier(1000.0, (-limit_uv, limit_uv), UV_PER_3DC_COUNT, 20.0, 60.0)
    for path in sorted((folder / "libemg3dc_npz").glob("*.npz")):
        with np.load(path) as content:
            trials = [content[key] for key in sorted(content.files)]
        long_enough = [trial for trial in trials if len(trial) >= LEAST_S * amplifier.fs_hz]
        segments = [(trial * UV_PER_3DC_COUNT).astype(np.float32) for trial in long_enough]
        yield Recording(f"3DC {path.stem}", amplifier, tuple(segments))


def grabmyo(folder: Path) -> Iterator[Recording]:
    """28 electrodes at 2048 Hz, 10 Hz high-pass."""
    import wfdb  # noqa: PLC0415 - of the extra `import`; the other recordings do not need it

    amplifier = Amplifier(2048.0, (-5000.0, 5000.0), 0.05, 10.0, 60.0)
    by_gesture = defaultdict(list)
    for path in sorted((folder / "grabmyo_p1s1").glob("*.hea")):
        record = wfdb.rdrecord(str(path.with_suffix("")))
        used = [k for k, name in enumerate(record.sig_name) if not name.startswith("U")]
        gesture = path.stem.split("_gesture")[1].split("_")[0]
        by_gesture[gesture].append((record.p_signal[:, used] * 1000.0).astype(np.float32))
    for gesture, segments in sorted(by_gesture.items()):
        yield Recording(f"GRABMyo gesture {gesture}", amplifier, tuple(segments))


def resampled(recording: Recording, up: int, down: int) -> Recording:
    """Return the same at another rate, for the rates that no recording has."""
    amplifier = recording.amplifier
    fs_hz = amplifier.fs_hz * up / down
    segments = []
    for segment in recording.segments:
        level_uv = segment.mean(axis=0)
        changed = scipy.signal.resample_poly(segment - level_uv, up, down, axis=0) + level_uv
        segments.append(changed.astype(np.float32))
    other = Amplifier(
        fs_hz, amplifier.rails_uv, amplifier.step_uv, amplifier.high_pass_hz, amplifier.mains_hz
    )
    return Recording(f"{recording.name} at {fs_hz:g} Hz", other, tuple(segments))


def naturally_bad(recording: Recording) -> npt.NDArray[np.bool_]:
    """Which channels are bad over a whole recording: (n_channels,), by Welch spectra of all of it.

    A channel is bad if its mains line exceeds 20 uV RMS in the median of the segments, if its power in
    2-10 Hz, 20-150 Hz or 200-400 Hz is off the other channels' by more than 5 robust standard deviations (of
    at least 2 dB), or if it does not change.
    """
    fs_hz = recording.amplifier.fs_hz
    lines, powers = [], []
    for segment in recording.segments:
        f_hz, density = scipy.signal.welch(segment, fs_hz, nperseg=int(2 * fs_hz), axis=0, detrend="linear")
        lines.append(np.max([_line_uv(f_hz, density, mains_hz) for mains_hz in (50.0, 60.0)], axis=0))
        bands = ((2.0, 10.0), (20.0, 150.0), (200.0, min(400.0, 0.45 * fs_hz)))
        powers.append([density[(f_hz >= low) & (f_hz < high)].mean(axis=0) for low, high in bands])
    level_db = 10.0 * np.log10(np.median(powers, axis=0) + 1e-12)
    off_db = np.abs(level_db - np.median(level_db, axis=1, keepdims=True))
    spread_db = np.maximum(2.0, MAD_TO_SD * np.median(off_db, axis=1, keepdims=True))
    still = np.min([np.ptp(segment, axis=0) for segment in recording.segments], axis=0) == 0
    has_mains = np.median(lines, axis=0) > WELCH_MAINS_UV
    return np.asarray(has_mains | (off_db > OUTLYING_SD * spread_db).any(axis=0) | still)


def _line_uv(
    f_hz: npt.NDArray[np.float64], density: npt.NDArray[np.float64], mains_hz: float
) -> npt.NDArray[np.float64]:
    away_hz = np.abs(f_hz - mains_hz)
    line, beside = away_hz <= WELCH_LINE_HZ, (away_hz > WELCH_BESIDE_HZ[0]) & (away_hz < WELCH_BESIDE_HZ[1])
    over = density[line].sum(axis=0) - line.sum() * np.median(density[beside], axis=0)
    return np.sqrt(np.maximum(0.0, over * (f_hz[1] - f_hz[0])))


@dataclass(frozen=True)
class Alarms:
    """Channel-seconds with a report but good: any (n_channels,), by state (n_channels, n_states); and all reports.

    ``reports`` counts every report but good, (n_channels,): ten a second.
    """

    seconds: int
    reports: npt.NDArray[np.int64]
    any_state: npt.NDArray[np.int64]
    by_state: npt.NDArray[np.int64]

    def share(self, channels: npt.NDArray[np.bool_]) -> float:
        """Share of the channel-seconds of some channels; nan for none."""
        return float(self.any_state[channels].sum() / max(1, self.seconds * channels.sum()))


@dataclass(frozen=True)
class Outcome:
    """What became of one injected fault."""

    kind: str
    variant: str
    found: bool
    named: bool
    delay_s: float
    said: str


def alarms(recording: Recording) -> Alarms:
    """Count alarms of the recording as it is."""
    n_channels = recording.segments[0].shape[1]
    seconds = 0
    any_state = np.zeros(n_channels, dtype=np.int64)
    not_good = np.zeros(n_channels, dtype=np.int64)
    by_state = np.zeros((n_channels, len(ChannelState)), dtype=np.int64)
    for segment in recording.segments:
        reports = QualityMonitor(recording.amplifier.fs_hz, n_channels).process(segment)
        for start in range(0, len(reports) - 9, 10):
            states = np.array([report.states for report in reports[start : start + 10]])
            seconds += 1
            not_good += (states != ChannelState.GOOD).sum(axis=0)
            any_state += (states != ChannelState.GOOD).any(axis=0)
            by_state += (states[:, :, np.newaxis] == np.arange(len(ChannelState))).any(axis=0)
    return Alarms(seconds, not_good, any_state, by_state)


def injections(
    recording: Recording, bad: npt.NDArray[np.bool_], rng: np.random.Generator, most: int | None = None
) -> list[Outcome]:
    """Inject faults into one piece of two seconds after the other, and say what became of each.

    ``most`` limits the pieces, chosen at random; otherwise all serve, as often as `LEAST_INJECTED` needs.
    """
    fs_hz = recording.amplifier.fs_hz
    length = int((BEFORE_S + WITHIN_S + 0.1) * fs_hz)
    pieces = [
        segment[start : start + length]
        for segment in recording.segments
        for start in range(0, len(segment) - length + 1, length)
    ]
    if most is not None and len(pieces) > most:
        pieces = [pieces[k] for k in np.sort(rng.choice(len(pieces), most, replace=False))]
    elif most is None:
        a_round = len(pieces) * max(1, round(SHARE_OF_CHANNELS * len(bad)))
        pieces = pieces * math.ceil(LEAST_INJECTED / a_round)
    return [outcome for piece in pieces for outcome in _inject(piece, recording.amplifier, bad, rng)]


def _inject(
    piece: npt.NDArray[np.float32], amplifier: Amplifier, bad: npt.NDArray[np.bool_], rng: np.random.Generator
) -> list[Outcome]:
    fs_hz = amplifier.fs_hz
    onset = int(rng.uniform(BEFORE_S, BEFORE_S + 0.1) * fs_hz)
    good = np.flatnonzero(~bad)
    channels = rng.choice(good, max(1, round(SHARE_OF_CHANNELS * len(bad))), replace=False)
    kinds = sorted({fault.kind for fault in FAULTS})
    emg_uv = piece.copy()
    injected = {}
    for channel in channels:
        kind = kinds[rng.integers(len(kinds))]
        variants = [fault for fault in FAULTS if fault.kind == kind]
        fault = variants[rng.integers(len(variants))]
        faulty = fault.apply(piece[onset:, channel].astype(np.float64), amplifier, rng)
        emg_uv[onset:, channel] = amplifier.record(faulty)
        injected[channel] = fault
    reports = QualityMonitor(fs_hz, piece.shape[1]).process(emg_uv)
    after = [r for r in reports if onset < r.sample_index <= onset + WITHIN_S * fs_hz]
    outcomes = []
    for channel, fault in injected.items():
        states = [ChannelState(r.states[channel]) for r in after]
        alarmed = [k for k, state in enumerate(states) if state is not ChannelState.GOOD]
        delay_s = (after[alarmed[0]].sample_index - onset) / fs_hz if alarmed else np.inf
        right = ChannelState[fault.kind.upper()]
        outcome = Outcome(
            fault.kind, fault.variant, bool(alarmed), right in states, delay_s, states[-1].name.lower()
        )
        outcomes.append(outcome)
    return outcomes


def detection_table(outcomes: list[Outcome]) -> list[dict[str, object]]:
    """Recall, time and names by kind and variant."""
    rows: list[dict[str, object]] = []
    keys = sorted({(o.kind, "all") for o in outcomes} | {(o.kind, o.variant) for o in outcomes})
    for kind, variant in keys:
        some = [o for o in outcomes if o.kind == kind and variant in {"all", o.variant}]
        delays_s = [o.delay_s for o in some if o.found]
        rows.append(
            {
                "kind": kind,
                "variant": variant,
                "n": len(some),
                "found": round(float(np.mean([o.found for o in some])), 4),
                "named": round(float(np.mean([o.named for o in some])), 4),
                "median_s": round(float(np.median(delays_s)), 2) if delays_s else None,
                "said": dict(Counter(o.said for o in some).most_common()),
            }
        )
    return rows


def precision(outcomes: list[Outcome]) -> dict[str, float]:
    """Of the injected channels that are called so after 1 s, the share that is."""
    said = defaultdict(list)
    for outcome in outcomes:
        said[outcome.said].append(outcome.said == outcome.kind)
    return {state: round(float(np.mean(hits)), 4) for state, hits in sorted(said.items()) if state != "good"}


def main() -> None:
    """Print the tables, and with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--tuned-only", action="store_true", help="only the recordings thresholds were chosen on"
    )
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    false_alarms = []
    for recording in _recordings(args.folder):
        if args.tuned_only and not recording.tuned:
            continue
        bad = naturally_bad(recording)
        found = alarms(recording)
        split = "tuned" if recording.tuned else "held out"
        row = {
            "recording": recording.name,
            "split": split,
            "channel_seconds": found.seconds * len(bad),
            "bad_channels": np.flatnonzero(bad).tolist(),
            "all": round(found.share(np.ones_like(bad)), 5),
            "offline_good": round(found.share(~bad), 5),
            "reports_good": round(float(found.reports[~bad].sum() / (10 * found.seconds * (~bad).sum())), 5),
            "alarmed_good": int(found.any_state[~bad].sum()),
            "channel_seconds_good": int(found.seconds * (~bad).sum()),
            "by_state": {s.name.lower(): int(found.by_state[~bad, s].sum()) for s in ChannelState if s},
        }
        false_alarms.append(row)
        outcomes[f"{_source(recording)}, {split}"] += injections(recording, bad, rng)
        print(_alarm_line(row), file=sys.stderr, flush=True)
    _print(false_alarms, outcomes)
    if args.json:
        tables = {group: detection_table(some) for group, some in outcomes.items()}
        print(json.dumps({"false_alarms": false_alarms, "detection": tables}))


def _recordings(folder: Path) -> Iterator[Recording]:
    for recording in flexemg(folder):
        yield recording
        if recording.name.endswith("Session1Test"):
            yield resampled(recording, 1, 2)
            yield resampled(recording, 4, 1)
    yield from three_dc(folder)
    yield from grabmyo(folder)


def _source(recording: Recording) -> str:
    """Return the data set, and the rate where it was changed."""
    first, *_, last = recording.name.partition(" at ")
    return f"{first.split()[0]} at {last}" if last else first.split()[0]


def _alarm_line(row: dict[str, object]) -> str:
    states = {state: n for state, n in row["by_state"].items() if n}
    return (
        f"{row['recording']:35s} {row['split']:9s} {row['channel_seconds']:7d} channel-s  alarms: "
        f"all {100 * row['all']:6.2f} %, offline good {100 * row['offline_good']:5.2f} % "
        f"(reports {100 * row['reports_good']:5.2f} %)  bad {row['bad_channels']}  {states}"
    )


def _print(false_alarms: list[dict[str, object]], outcomes: dict[str, list[Outcome]]) -> None:
    for split in ("tuned", "held out"):
        rows = [row for row in false_alarms if row["split"] == split]
        if not rows:
            continue
        seconds = sum(row["channel_seconds"] for row in rows)
        everywhere = sum(row["all"] * row["channel_seconds"] for row in rows) / seconds
        good = sum(row["alarmed_good"] for row in rows) / sum(row["channel_seconds_good"] for row in rows)
        print(
            f"false alarms, {split}: all channels {100 * everywhere:.2f} %, offline good {100 * good:.2f} %"
        )
    groups = dict(outcomes)
    for split in ("tuned", "held out"):
        groups[f"ALL, {split}"] = [o for name, some in outcomes.items() if name.endswith(split) for o in some]
    for group, some in groups.items():
        if not some:
            continue
        print(f"\n{group}: {len(some)} injected; precision of the name {precision(some)}")
        for row in detection_table(some):
            print(
                f"  {row['kind']:10s} {row['variant']:12s} n {row['n']:5d}  found {100 * row['found']:6.2f} %  named "
                f"{100 * row['named']:6.2f} %  median {row['median_s']} s  {row['said']}"
            )


if __name__ == "__main__":
    main()
