"""A session cut into runs without a gap, each with its events."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.events import Event
from emg_acquisition.recording.session import Session
from emg_acquisition.streams.chunks import split_at_gaps

_OWN_COLUMNS = ("gesture", "repetition", "trial")


@dataclass(frozen=True)
class RunEvent:
    """One row of a run's events.

    Parameters
    ----------
    onset_s : float
        From the run's first sample, by the run's own samples where it lies among them.
    duration_s : float
        Zero for what has none.
    name : str
        The gesture of a cue; otherwise the kind.
    kind : str
        ``cue``, ``cue_continued`` (a cue before the gap in front of this run), ``missing_samples`` or any other.
    repetition, trial : int or None
        Of a cue.
    details : str
        Whatever else belongs to it, as JSON; empty for nothing.
    """

    onset_s: float
    duration_s: float
    name: str
    kind: str
    repetition: int | None = None
    trial: int | None = None
    details: str = ""


@dataclass(frozen=True)
class Run:
    """Samples without a gap.

    Parameters
    ----------
    number : int or None
        From 1; None where the session has no gap and so one run.
    start_lsl_s : float
        LSL time of its first sample.
    emg_uv : ndarray, shape (n_samples, n_channels), µV
        All finite.
    bad_channels : tuple of int
        Channels without a single finite sample.
    events : tuple of RunEvent
        In order of their onsets.
    joined : bool
        Whether parts that were recorded apart follow each other in it.
    """

    number: int | None
    start_lsl_s: float
    emg_uv: Float32Array
    bad_channels: tuple[int, ...]
    events: tuple[RunEvent, ...]
    joined: bool


@dataclass(frozen=True)
class _Span:
    """The samples of a run, and where an instant lies among them."""

    emg_uv: Float32Array
    t_s: Float64Array
    fs_hz: float

    @property
    def length_s(self) -> float:
        return len(self.t_s) / self.fs_hz

    def position_s(self, t_s: float) -> float:
        """Return the time from the first sample, counted in samples where there are any."""
        first, last = float(self.t_s[0]), float(self.t_s[-1])
        if t_s < first:
            return t_s - first
        if t_s > last:
            return (len(self.t_s) - 1) / self.fs_hz + t_s - last
        return float(np.interp(t_s, self.t_s, np.arange(len(self.t_s)))) / self.fs_hz


def runs_of(session: Session) -> Iterator[Run]:
    """Cut a session where samples are missing, one run at a time.

    Every event is kept: one within a gap goes to the run before it, with an onset behind that run's end; a cue
    that lasts beyond a gap is continued in the run behind it.
    """
    emg = session.emg
    chunks = split_at_gaps(emg.emg_uv, emg.t_lsl_s, emg.info, None)
    spans = [_Span(chunk.emg_uv, chunk.t_lsl_s, emg.info.fs_hz) for chunk in chunks]
    cues, others = _cues_and_others(session.events)
    starts_s = [float(span.t_s[0]) for span in spans]
    half_s = 0.5 * emg.info.sample_interval_s
    for k, span in enumerate(spans):
        until_s = starts_s[k + 1] if k + 1 < len(spans) else math.inf
        since_s = starts_s[k] - half_s if k else -math.inf
        mine = [event for event in others if since_s <= event.t_lsl_s < until_s - half_s]
        rows = [_row(event, span) for event in mine]
        rows += _cue_rows(cues, span, since_s, until_s - half_s)
        finite, missing, bad = _held(span, emg.info.channel_labels)
        yield Run(
            number=k + 1 if len(spans) > 1 else None,
            start_lsl_s=starts_s[k],
            emg_uv=finite,
            bad_channels=bad,
            events=tuple(sorted([*rows, *missing], key=lambda row: row.onset_s)),
            joined=any(event.kind == "join" for event in mine),
        )


def _cues_and_others(events: Sequence[Event]) -> tuple[list[tuple[Event, float]], list[Event]]:
    """Return each cue with the time of the next one, and all other events."""
    cues = [event for event in events if event.kind == "cue"]
    ends_s = [after.t_lsl_s for _, after in pairwise(cues)] + [math.inf]
    return list(zip(cues, ends_s, strict=False)), [event for event in events if event.kind != "cue"]


def _cue_rows(
    cues: Sequence[tuple[Event, float]], span: _Span, since_s: float, until_s: float
) -> Iterator[RunEvent]:
    for cue, end_s in cues:
        begins = since_s <= cue.t_lsl_s < until_s
        continues = cue.t_lsl_s < since_s and end_s > since_s and span.position_s(end_s) > 0
        if not (begins or continues):
            continue
        onset_s = span.position_s(cue.t_lsl_s) if begins else 0.0
        stop_s = span.length_s if end_s == math.inf else min(span.position_s(end_s), span.length_s)
        yield _row(
            cue,
            span,
            onset_s=onset_s,
            duration_s=max(0.0, stop_s - onset_s),
            kind="cue" if begins else "cue_continued",
        )


def _row(
    event: Event,
    span: _Span,
    *,
    onset_s: float | None = None,
    duration_s: float = 0.0,
    kind: str | None = None,
) -> RunEvent:
    rest = {key: value for key, value in event.fields.items() if key not in _OWN_COLUMNS}
    return RunEvent(
        onset_s=span.position_s(event.t_lsl_s) if onset_s is None else onset_s,
        duration_s=duration_s,
        name=str(event.fields.get("gesture", event.kind)),
        kind=event.kind if kind is None else kind,
        repetition=event.fields.get("repetition"),
        trial=event.fields.get("trial"),
        details=json.dumps(rest, separators=(",", ":")) if rest else "",
    )


def _held(span: _Span, labels: Sequence[str]) -> tuple[Float32Array, list[RunEvent], tuple[int, ...]]:
    """Replace what is not finite by the channel's last good sample (its first good one before that).

    BDF holds no missing value. An event says where and on which channels.
    """
    faulty = ~np.isfinite(span.emg_uv)
    if not faulty.any():
        return span.emg_uv, [], ()
    held = span.emg_uv.copy()
    index = np.arange(len(held))
    for channel in np.flatnonzero(faulty.any(axis=0)):
        good = np.flatnonzero(~faulty[:, channel])
        if len(good):
            newest = np.maximum.accumulate(np.where(faulty[:, channel], good[0], index))
            held[:, channel] = span.emg_uv[newest, channel]
        else:
            held[:, channel] = 0.0
    edges = np.diff(faulty.any(axis=1).astype(np.int8), prepend=0, append=0)
    rows = []
    for start, stop in zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0), strict=True):
        channels = [labels[k] for k in np.flatnonzero(faulty[start:stop].any(axis=0)).tolist()]
        details = json.dumps({"channels": channels}, separators=(",", ":"))
        onset_s, duration_s = start / span.fs_hz, (stop - start) / span.fs_hz
        rows.append(
            RunEvent(float(onset_s), float(duration_s), "missing_samples", "missing_samples", details=details)
        )
    return held, rows, tuple(np.flatnonzero(faulty.all(axis=0)).tolist())
