"""The kinds of faults: how each is made, how it is ended, and what the bridge must say of it.

Three sorts: a process is killed or halted by a signal; a relay between two stages falsifies what passes; somebody else
in the same ROS 2 domain does something to the robot.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from robot_bridge.stretch_interface import CMD_VEL, DOF_NAMES, JOINT_POSE
from simulation.fault_campaign.relay_link import NONE
from simulation.fault_campaign.rig import FaultRig
from simulation.fault_campaign.ros_relay import DELAY_S
from simulation.stretch.driver_logic import CMD_VEL_LIMIT_S

Act = Callable[[FaultRig], None]
# Returns when the fault began (monotonic clock), if that is known better than by when it was asked for.
Make = Callable[[FaultRig], "float | None"]
DRIVER_HANGS_S = 0.6
_STALE = r"no decision for|decision is stale"
_POOR = r"signal is poor"


@dataclass(frozen=True)
class FaultKind:
    """One kind of fault.

    Parameters
    ----------
    name, what : str
        Its name, and what happens, for people.
    make, end : callable
        Put the fault into the rig, and take it out again: what died is started anew, all else runs on.
    reason : str
        Pattern of the bridge's reason, if the fault was recognised for what it is.
    by_guard : bool
        Whether the guard and not the bridge has to stop the robot; the bridge then says nothing.
    cut_off_s : float
        For how much longer than the zero command takes this fault keeps it from the robot.
    let_go : tuple of str
        DoF that the robot itself lets go of.
    weight : int
        How often it is drawn in a round; 1 for those after which DDS remembers a dead node for some 20 s.
    """

    name: str
    what: str
    make: Make
    end: Act
    reason: str
    by_guard: bool = False
    cut_off_s: float = 0.0
    let_go: tuple[str, ...] = ()
    weight: int = 3


def _relayed(name: str, what: str, relay: str, reason: str, cut_off_s: float = 0.0) -> FaultKind:
    """Make a kind that a relay makes: ``<stage>_<what the relay calls it>``."""
    fault = name if relay == "ros" else name.split("_", 1)[1]

    def make(rig: FaultRig) -> float:
        return rig.relays[relay].make(fault)

    def end(rig: FaultRig) -> None:
        rig.relays[relay].make(NONE)

    return FaultKind(name, what, make, end, reason, cut_off_s=cut_off_s)


def _killed(name: str, what: str, stage: str, reason: str) -> FaultKind:
    return FaultKind(
        name, what, lambda rig: rig.signal(stage, signal.SIGKILL), lambda rig: rig.restart(stage), reason
    )


def _halted(name: str, what: str, stage: str, reason: str) -> FaultKind:
    return FaultKind(
        name,
        what,
        lambda rig: rig.signal(stage, signal.SIGSTOP),
        lambda rig: rig.signal(stage, signal.SIGCONT),
        reason,
    )


def _end_bridge_hang(rig: FaultRig) -> None:
    """Let it run on, see what it does then, and start it anew: its guard has done its work and ended."""
    rig.signal("bridge", signal.SIGCONT)
    time.sleep(0.5)
    rig.restart("bridge")


def _halt_driver(rig: FaultRig) -> None:
    """Halt it for a moment: a joint of a real robot goes on to its last target while the driver hangs.

    The simulated one does when its driver runs again, so that is to be within the time in which travel is measured.
    """
    pid = rig.pid("sim-robot")
    rig.signal("sim-robot", signal.SIGSTOP)
    threading.Timer(DRIVER_HANGS_S, os.kill, (pid, signal.SIGCONT)).start()


def _intrude_joints(rig: FaultRig) -> None:
    now = rig.observer.recorded(time.monotonic() - 1.0)
    rig.outsider.intrude(JOINT_POSE, now.poses[-1, 1:9].tolist())


FAULT_KINDS: tuple[FaultKind, ...] = (
    _killed("source_killed", "source ended by SIGKILL", "acquire", _STALE),
    _halted("source_hung", "source halted by SIGSTOP", "acquire", _STALE),
    _relayed("source_repeats", "source sends old samples again, old time stamps", "emg", _STALE),
    _relayed("source_loops", "source sends old samples again under new time stamps", "emg", _POOR),
    _relayed("source_half_off", "half the electrodes read zero", "emg", _POOR),
    _relayed("source_half_floating", "half the electrodes off the skin: mains and noise", "emg", _POOR),
    _relayed("source_nan", "every sample not a number", "emg", _POOR),
    _relayed("source_gain", "amplitude ten times too high", "emg", _POOR),
    _relayed("source_clock_forth", "source's time stamps jump 2 s forth", "emg", "in the future"),
    _relayed("source_clock_back", "source's time stamps jump 2 s back", "emg", _STALE),
    _killed("decoder_killed", "decoder ended by SIGKILL", "decode", _STALE),
    _halted("decoder_hung", "decoder halted by SIGSTOP", "decode", _STALE),
    _relayed("decoder_bad_index", "decisions with an index that no gesture has", "gesture", "gesture index"),
    _relayed("decoder_nan", "decisions that are not a number", "gesture", "not finite"),
    _relayed("decoder_replays", "old decisions sent again, old time stamps", "gesture", _STALE),
    _relayed("decoder_impostor", "another decoder takes name and source_id", "gesture", _STALE),
    FaultKind(
        "bridge_hung",
        "bridge halted by SIGSTOP",
        lambda rig: rig.signal("bridge", signal.SIGSTOP),
        _end_bridge_hang,
        "",
        by_guard=True,
    ),
    FaultKind(
        "bridge_killed",
        "bridge ended by SIGKILL",
        lambda rig: rig.signal("bridge", signal.SIGKILL),
        lambda rig: rig.restart("bridge"),
        "",
        by_guard=True,
        weight=1,
    ),
    FaultKind(
        "guard_killed",
        "guard ended by SIGKILL",
        lambda rig: rig.signal("guard", signal.SIGKILL),
        lambda rig: rig.restart("bridge"),
        "guard",
        weight=1,
    ),
    FaultKind(
        "guard_hung",
        "guard halted by SIGSTOP",
        lambda rig: rig.signal("guard", signal.SIGSTOP),
        lambda rig: rig.signal("guard", signal.SIGCONT),
        "guard",
    ),
    FaultKind(
        "driver_hung",
        f"robot's driver halted by SIGSTOP for {DRIVER_HANGS_S:g} s",
        _halt_driver,
        lambda _rig: None,
        r"no new joint state|is silent",
    ),
    _relayed("joints_missing", "joint states do not come", "ros", "no new joint state"),
    _relayed("joints_frozen", "the same joint state again and again", "ros", "joint state|joint_states"),
    _relayed("joints_nan", "joint states that are not a number", "ros", "joint_states holds"),
    _relayed("status_missing", "the driver's status topics do not come", "ros", "is silent"),
    _relayed(
        "dropped",
        "all ROS 2 traffic between bridge and robot lost",
        "ros",
        r"no new joint state|is silent",
        cut_off_s=CMD_VEL_LIMIT_S,
    ),
    _relayed(
        "delayed",
        f"all ROS 2 traffic between bridge and robot {DELAY_S:g} s late",
        "ros",
        r"joint state|joint_states|is silent",
        cut_off_s=DELAY_S,
    ),
    FaultKind(
        "run_stop",
        "run-stop pressed",
        lambda rig: rig.outsider.call("runstop", data=True),
        lambda rig: rig.outsider.call("runstop", data=False),
        "run-stop",
        let_go=("gripper",),
    ),
    FaultKind(
        "other_mode",
        "somebody switches the driver to position mode",
        lambda rig: rig.outsider.call("switch_to_position_mode"),
        lambda _rig: None,
        "driver is in mode",
    ),
    FaultKind(
        "streaming_off",
        "somebody ends streaming position",
        lambda rig: rig.outsider.call("deactivate_streaming_position"),
        lambda _rig: None,
        "streaming position is not active",
    ),
    FaultKind(
        "other_cmd_vel",
        "another node publishes cmd_vel",
        lambda rig: rig.outsider.intrude(CMD_VEL),
        lambda rig: rig.outsider.withdraw(),
        "another node",
    ),
    FaultKind(
        "other_joint_pose",
        "another node publishes joint_pose_cmd",
        _intrude_joints,
        lambda rig: rig.outsider.withdraw(),
        "another node",
    ),
    FaultKind(
        "heartbeat_lost",
        "operator's heartbeat ends",
        lambda rig: rig.link.stop_heartbeat(),
        lambda rig: rig.link.start_heartbeat(),
        "heartbeat",
    ),
)
KIND_OF_NAME = {kind.name: kind for kind in FAULT_KINDS}


def moving_dof(kind: FaultKind, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the DoF among `names` that may be moved when this fault is made."""
    allowed = set(DOF_NAMES) - set(kind.let_go)
    return tuple(name for name in names if name in allowed)
