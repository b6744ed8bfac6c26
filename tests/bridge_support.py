"""A bridge's core as tests use it: armed, with inputs that are fresh unless a test says otherwise."""

from emg_acquisition.decision import Decision
from robot_bridge.bridge_core import BridgeCore, Listeners
from robot_bridge.control import SpeedControl
from robot_bridge.gesture_map import GestureMap
from robot_bridge.inputs import (
    DecisionInput,
    DriverInput,
    GuardInput,
    JointLimitsInput,
    JointStatesInput,
    OdometryInput,
    OperatorInput,
    TickInput,
)
from robot_bridge.robot_model import load_robot_model
from robot_bridge.safety_inputs import SafetyLimits
from robot_bridge.stretch_interface import JOINT_DOF, LIMIT_OF_DOF

MODEL = load_robot_model()
READY = {"mode": "navigation", "is_homed": True, "is_runstopped": False, "is_streaming_position": True}


def make_core(
    maps: list[GestureMap],
    speed_control: SpeedControl = "tiers",
    limits: SafetyLimits | None = None,
    transitions: list | None = None,
) -> BridgeCore:
    """Make a core whose guard is ready, and which nobody listens to but `transitions`."""
    told = transitions.append if transitions is not None else lambda _: None
    listeners = Listeners(told, lambda _sleeve, _change: None)
    core = BridgeCore(MODEL, maps, limits or SafetyLimits(), listeners, speed_control)
    core.take(GuardInput(0.0, None))
    return core


def give_limits(core: BridgeCore, t: float) -> None:
    """Give the limits that the robot's model has, as the driver names them."""
    dofs = [MODEL.dof[dof] for dof in JOINT_DOF]
    names = [LIMIT_OF_DOF[dof] for dof in JOINT_DOF]
    core.take(JointLimitsInput(t, names, [d.position_lower for d in dofs], [d.position_upper for d in dofs]))


def give_status(core: BridgeCore, t: float, base=(0.0, 0.0), **changed: str | bool) -> None:
    """Give the driver's status topics, and the base's travel (m) and heading (rad), straight on from its start."""
    for topic, value in (READY | changed).items():
        core.take(DriverInput(t, topic, value))
    core.take(OdometryInput(t, t, base[0], 0.0, base[1]))


def decide(core: BridgeCore, index: float, t: float, sleeve: int = 0, **changed: float) -> None:
    """Give a decision."""
    given = {"confidence": 1.0, "effort": 0.5, "quality": 1.0, "age_s": 0.03} | changed
    core.take(DecisionInput(t, sleeve, Decision(float(index), **given)))


def joints(core: BridgeCore, names, positions, t: float, *, stamp_s=None, velocities=(), efforts=()) -> None:
    """Give a joint state, stamped now unless told otherwise."""
    core.take(JointStatesInput(t, t if stamp_s is None else stamp_s, names, positions, velocities, efforts))


def tick(core: BridgeCore, t: float):
    """Let time pass; returns the command, or None for silence."""
    return core.take(TickInput(t)).command


def act(core: BridgeCore, what: str, t: float) -> str | None:
    """Do what an operator does; returns why it is refused, or None."""
    return core.take(OperatorInput(t, what)).refusal


def arm(core: BridgeCore, t: float) -> str | None:
    """Arm as the bridge's node does: prepare, read the limits, arm."""
    refusal = act(core, "prepare", t)
    if refusal is not None or core.safety.is_live:
        return refusal
    give_limits(core, t)
    tick(core, t)
    return act(core, "arm", t)
