"""The live chain in one process and in simulated time: EMG, decoder, bridge and robot, 10 ms after 10 ms.

The decoder pipeline and the bridge's core are the objects that run live; what lies between processes is left out,
LSL and ROS 2, and with it their transport times. An EMG block reaches the decoder when its last sample has been
taken, a decision waits for the bridge's next tick, a command reaches the driver at once, and the driver speaks at
30 Hz: as live, to within a few milliseconds. The bridge's guard process and the operator's heartbeat are taken as
present; somebody stands by who arms the robot again after a stop.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace

from decoding.decoder_file import DecoderFile
from decoding.pipeline import DecoderPipeline
from emg_acquisition.decision import Decision
from emg_acquisition.errors import StreamLostError
from robot_bridge.bridge_core import Listeners
from robot_bridge.control import ModeChange
from robot_bridge.gesture_map import GestureMap
from robot_bridge.inputs import DecisionInput, OperatorInput
from robot_bridge.robot_model import RobotModel
from robot_bridge.safety import Transition
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.bridge_loop import BridgeLoop
from simulation.closed_loop.muscle import Muscle
from simulation.stretch.stretch_body import StretchBody

STEPS_PER_S = 100
# Views are kept for longer than any delay of a virtual user's eyes.
KEPT_VIEWS = 200
ARMING_LIMIT_S = 30.0
# Somebody has to notice the stop, ask the user to rest, and press the button.
REARM_AFTER_S = 3.0


@dataclass(frozen=True)
class View:
    """What there is to see at a moment; ``positions`` in the order of ``DOF_NAMES``, m and rad."""

    t_s: float
    positions: tuple[float, ...]
    mode: str
    fine: bool
    live: bool


@dataclass
class LoopCounts:
    """What happened, counted since the loop began; ``stop_reasons`` of every stop and fault."""

    decisions: int = 0
    wrong_decisions: int = 0
    missing_decisions: int = 0
    mode_switches: int = 0
    speed_switches: int = 0
    stops: int = 0
    stop_reasons: tuple[str, ...] = ()


class ClosedLoop:
    """Everything between a muscle and a robot.

    Parameters
    ----------
    muscle : Muscle
        Whose EMG it is.
    decoder : DecoderFile
        The decoder.
    gesture_map : GestureMap
        What gestures do.
    model : RobotModel
        The robot's limits and speeds.
    body : StretchBody
        The robot itself.

    Raises
    ------
    DecoderMismatchError
        If the decoder is for another stream than the muscle's.
    """

    # A decision counts as the decoder's mistake once its whole window and dwell lie within an intention.
    SETTLED_S = 0.5

    def __init__(
        self,
        muscle: Muscle,
        decoder: DecoderFile,
        gesture_map: GestureMap,
        model: RobotModel,
        body: StretchBody,
    ) -> None:
        self._muscle = muscle
        self._pipeline = DecoderPipeline(decoder, muscle.info)
        self._fs_hz = muscle.info.fs_hz
        self._rest = gesture_map.rest
        modes = gesture_map.mode_names
        self._has_no_toggle = all(gesture_map.gesture_to(mode, "toggle_speed") is None for mode in modes)
        listeners = Listeners(self._on_transition, self._on_mode)
        self.counts = LoopCounts()
        self._bridge = BridgeLoop(model, [gesture_map], body, steps_per_s=STEPS_PER_S, listeners=listeners)
        self.core = self._bridge.core
        self._mode, self._fine = self.core.control.mode, self.core.control.fine
        self._samples = 0
        self._waiting: deque[Decision] = deque()
        self._views: deque[View] = deque(maxlen=KEPT_VIEWS)
        self._intended, self._intended_since_s = self._rest, 0.0
        self._stopped_s: float | None = None
        self.path = dict.fromkeys(DOF_NAMES, 0.0)
        self._at = self._bridge.robot.positions()
        self._views.append(self._look())

    @property
    def t_s(self) -> float:
        """Simulated time since the beginning; it never drifts, for steps are counted."""
        return self._bridge.t_s

    @property
    def rest(self) -> str:
        """The gesture in which nothing moves."""
        return self._rest

    @property
    def view(self) -> View:
        """What there is to see now."""
        return self._views[-1]

    def seen(self, delay_s: float) -> View:
        """Return what there was to see a while ago."""
        steps = min(len(self._views) - 1, round(delay_s * STEPS_PER_S))
        return self._views[-1 - steps]

    def begin(self) -> None:
        """Let the arm rest until the bridge arms; it starts fine, and where no gesture is faster, coarse is chosen.

        As the person next to the user would, by the operator's window.

        Raises
        ------
        StreamLostError
            If it does not within half a minute: the decoder takes rest for something else.
        """
        while not self.core.safety.is_live:
            self.step(self._rest)
            refusal = self._bridge.arm()
            if refusal is not None and self.t_s > ARMING_LIMIT_S:
                msg = f"the bridge did not arm within {ARMING_LIMIT_S:g} s of rest: {refusal}"
                raise StreamLostError(msg)
        if self._has_no_toggle:
            self.core.take(OperatorInput(self.t_s, "coarse"))

    def step(self, gesture: str) -> View:
        """Move on by 10 ms, with the arm making a gesture; returns what there is to see then."""
        if gesture != self._intended:
            self._muscle.intend(gesture)
            self._intended, self._intended_since_s = gesture, self.t_s
        until = round((self._bridge.steps + 1) * self._fs_hz / STEPS_PER_S)
        now_s = (self._bridge.steps + 1) / STEPS_PER_S
        self._take(self._pipeline.process(self._muscle.read(until - self._samples)), now_s)
        self._samples = until
        if self._bridge.step(self._decide):
            self._note_path()
        self._rearm(self.t_s)
        self._views.append(self._look())
        return self.view

    def _take(self, decisions: list[Decision], now_s: float) -> None:
        settled = now_s - self._intended_since_s >= self.SETTLED_S
        for decision in decisions:
            self._waiting.append(decision)
            if not settled:
                continue
            self.counts.decisions += 1
            if decision.gesture_index < 0:
                self.counts.missing_decisions += 1
            elif self._pipeline.gestures[decision.gesture_index] != self._intended:
                self.counts.wrong_decisions += 1

    def _decide(self, now_s: float) -> None:
        """Hand the bridge what the decoder has decided since its last tick."""
        while self._waiting:
            decision = self._waiting.popleft()
            age_s = now_s - decision.sample_index / self._fs_hz
            self.core.take(DecisionInput(now_s, 0, replace(decision, age_s=age_s)))

    def _rearm(self, now_s: float) -> None:
        """Arm again some time after a stop, as soon as the bridge accepts it."""
        if self._stopped_s is None or now_s - self._stopped_s < REARM_AFTER_S:
            return
        if self._bridge.arm() is None:
            self._stopped_s = None

    def _note_path(self) -> None:
        at = self._bridge.robot.positions()
        for dof, before, after in zip(DOF_NAMES, self._at, at, strict=True):
            self.path[dof] += abs(after - before)
        self._at = at

    def _look(self) -> View:
        control, safety = self.core.control, self.core.safety
        return View(self.t_s, self._at, control.mode, control.fine, safety.is_live)

    def base_pose(self) -> tuple[float, float, float]:
        """Return where the base stands on the floor: x, y in m and heading in rad."""
        return self._bridge.robot.base_pose()

    def _on_transition(self, transition: Transition) -> None:
        if transition.new in {"stopped", "fault"}:
            self._stopped_s = transition.t_mono_s
            self.counts.stops += 1
            self.counts.stop_reasons = (*self.counts.stop_reasons, transition.reason)

    def _on_mode(self, _sleeve: str, change: ModeChange) -> None:
        self.counts.mode_switches += change.mode != self._mode
        self.counts.speed_switches += change.fine != self._fine
        self._mode, self._fine = change.mode, change.fine


def path_lengths(path: Mapping[str, float], model: RobotModel) -> dict[str, float]:
    """Travel of each DoF in seconds at its coarse speed, so that metres and radians can be added."""
    return {dof: travelled / model.dof[dof].speed(fine=False) for dof, travelled in path.items()}
