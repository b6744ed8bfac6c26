"""A calibration in virtual time: EMG made as it is asked for, a recording in memory, a trainer that answers at once."""

from concurrent.futures import Future
from pathlib import Path

import numpy as np

from calibration.protocol import CueSchedule
from calibration.session import CalibrationSession, Ports, SessionSetup
from calibration.session_ports import FeedSnapshot, Traces, TrainOutcome, TrainProgress
from calibration.session_view import Action, ActionKind, Step
from tests.dec_support import FS_HZ, LABELS, amplitude_of, stream_info

TICK_S = 1.0 / 15.0
PINCH = np.array([6.0, 60.0] * 4)
PROTOCOL = CueSchedule(
    gestures=("fist", "hand_open"),
    repetitions=2,
    rest_s=1.2,
    ready_s=0.5,
    ramp_s=0.4,
    hold_s=1.0,
    name="test",
)


class MadeFeed:
    """EMG of eight electrodes whose muscles do at once what `gesture` says; time is pushed on by `advance`."""

    def __init__(self):
        self.info = stream_info()
        self.gesture = "rest"
        self.amplitude = amplitude_of
        self.connected = True
        self.states = ("good",) * len(LABELS)
        self.decoder = None
        self.decision = None
        self.decode_error = ""
        self._rng = np.random.default_rng(0)
        self._emg = [np.zeros((0, 8), dtype=np.float32)]
        self._t = [np.zeros(0)]
        self._now_s = 100.0
        self._lost = []

    def advance(self, now_s):
        n = round((now_s - self._now_s) * FS_HZ)
        if n <= 0:
            return
        t = self._now_s + np.arange(1, n + 1) / FS_HZ
        self._now_s = t[-1]
        if not self.connected:
            self._lost.append(t[0])
            return
        noise = self._rng.normal(0.0, 1.0, (n, 8)) * self.amplitude(self.gesture)
        self._emg.append(noise.astype(np.float32))
        self._t.append(t)

    def snapshot(self):
        newest = self._t[-1][-1] if len(self._t) > 1 else 0.0
        recent = np.concatenate(self._emg[-4:])
        amplitude = float(recent.std(axis=0).mean()) if len(recent) else 0.0
        return FeedSnapshot(
            connected=self.connected,
            silent_s=0.0 if self.connected else 1.0,
            gaps=0,
            newest_lsl_s=float(newest),
            states=self.states,
            rms_uv=(1.0,) * 8,
            amplitude_uv=amplitude,
            decision=self.decision,
        )

    def between(self, begin_lsl_s, end_lsl_s):
        emg, t = np.concatenate(self._emg), np.concatenate(self._t)
        first, last = np.searchsorted(t, (begin_lsl_s, end_lsl_s))
        whole = not any(begin_lsl_s < lost < end_lsl_s for lost in self._lost)
        return emg[first:last], t[first:last], whole

    def traces(self, seconds):
        return Traces(np.concatenate(self._emg)[-round(seconds * FS_HZ) :], FS_HZ)

    def decode_with(self, decoder):
        self.decoder = decoder

    def close(self):
        self.closed = True


class MadeRecording:
    """A recording that is ready at once and keeps its events."""

    def __init__(self, folder):
        self.folder = folder
        self.ready, self.closed, self.failure = True, False, ""
        self.events = []

    def event(self, t_lsl_s, kind, fields):
        self.events.append((t_lsl_s, kind, dict(fields)))

    def of(self, kind):
        return [fields for _, one, fields in self.events if one == kind]

    def finish(self):
        self.closed = True

    def close(self):
        self.closed = True


class MadeTrainer:
    """Tells progress once and then what it was told to tell."""

    def __init__(self):
        self.jobs = []
        self.outcome = TrainOutcome(
            gestures=("rest", "fist", "hand_open"),
            confusion=((90, 0, 0), (0, 70, 20), (0, 5, 85)),
            window_accuracy=0.9,
            trial_accuracy=1.0,
            model="lda",
            seconds=1.0,
        )
        self._news = []
        self.cancelled = 0

    def warm_up(self):
        pass

    def start(self, job):
        self.jobs.append(job)
        job.out.parent.mkdir(parents=True, exist_ok=True)
        job.out.write_bytes(b"decoder")
        self._news = [TrainProgress("fit", 0.5), self.outcome]

    def poll(self):
        return self._news.pop(0) if self._news else None

    def cancel(self):
        self.cancelled += 1
        self._news = []

    def close(self):
        pass


def at_once(work):
    future = Future()
    future.set_result(work())
    return future


class VirtualCalibration:
    """The session with a person who does what is asked for, unless `does` says otherwise."""

    def __init__(self, tmp_path: Path, protocol=PROTOCOL, setup=None):
        self.feed, self.trainer, self.recordings = MadeFeed(), MadeTrainer(), []
        self.now_s = 100.0
        self.does = lambda view: view.cue.gesture if view.cue else "rest"
        self.feed.advance(self.now_s + TICK_S)
        setup = setup or SessionSetup("P01", "T1", protocol, tmp_path / "sub-P01" / "ses-T1")
        self.session = CalibrationSession(setup, Ports(self.feed, self._record, self.trainer, at_once))

    def _record(self, code):
        self.recordings.append(MadeRecording(Path(f"ses-{code}")))
        return self.recordings[-1]

    @property
    def view(self):
        return self.session.view()

    @property
    def labels(self):
        return [one for recording in self.recordings for one in recording.of("label")]

    def press(self, kind, *gestures):
        self.session.handle(Action(kind, *gestures))

    def run_until(self, condition, limit_s=200.0):
        """Tick until it holds; fails where it never does."""
        end_s = self.now_s + limit_s
        while not condition(self.view):
            if self.now_s > end_s:
                raise AssertionError(f"still {self.view}")
            self.now_s += TICK_S
            self.feed.gesture = self.does(self.view)
            self.feed.advance(self.now_s)
            self.session.tick(self.now_s)
        return self.view

    def to_cues(self):
        self.run_until(lambda view: view.step is Step.SIGNAL_CHECK)
        self.run_until(lambda view: view.activity is not None)
        self.press(ActionKind.NEXT)
        return self

    def to_hold(self, trial):
        return self.run_until(
            lambda view: view.cue and view.cue.trial == trial and view.cue.phase.value == "hold"
        )
