"""How far ROS 2 of this process reaches: this machine, unless the environment opens it.

ROS 2's own ``ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST`` always brings Fast DDS's shared memory, in which a program that
is halted at the wrong moment holds up whoever publishes to it, for up to a second (`benchmarks/dds_hung_reader.py`).
So Fast DDS is kept to the loopback interface by a profile instead, over UDP, where nobody waits for a reader.
"""

import os
from pathlib import Path

_RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"
_LOCALHOST_ONLY = "ROS_LOCALHOST_ONLY"  # all that Humble knows
# Without it Fast DDS also reads a DEFAULT_FASTDDS_PROFILES.xml of the working folder, which wins over ours.
_NO_OTHER_PROFILE = ("SKIP_DEFAULT_XML_FILE", "SKIP_DEFAULT_XML")  # of version 3, and before
_THIS_MACHINE = Path(__file__).with_name("this_machine.xml")


def keep_to_this_machine() -> None:
    """Let nodes of this process find, and be found by, this machine's only; unless the environment says otherwise.

    Call it before the first node is made. A node of this machine that is open to the network is found all the same.
    """
    reach = _said(_RANGE) or ("LOCALHOST" if _said(_LOCALHOST_ONLY) in {"", "1"} else "SUBNET")
    if reach != "LOCALHOST":
        return
    if _is_fast_dds() and not _said(_profiles()):
        os.environ.update(this_machine_only())
    else:
        # With Humble's ROS_LOCALHOST_ONLY, a driver that was started without it would not be found.
        os.environ[_RANGE] = reach


def this_machine_only() -> dict[str, str]:
    """Return what a process needs in its environment to be closed to other machines, whatever was said before."""
    if _is_fast_dds():
        ours = {_profiles(): str(_THIS_MACHINE), **dict.fromkeys(_NO_OTHER_PROFILE, "1")}
        return {_RANGE: "SUBNET", _LOCALHOST_ONLY: "0", **ours}
    return {_RANGE: "LOCALHOST", _LOCALHOST_ONLY: "1"}


def describe_scope() -> str:
    """Say how far nodes of this process reach."""
    profile = _said(_profiles())
    if _is_fast_dds() and profile == str(_THIS_MACHINE):
        return "this machine"
    if _is_fast_dds() and profile:
        return f"as {profile} has it"
    if _said(_LOCALHOST_ONLY) == "1":
        return "this machine"
    return f"range {_said(_RANGE) or 'as the distribution has it'}"


def _said(name: str) -> str:
    """Return what the environment says; to ROS 2 a variable that is empty says nothing."""
    return os.environ.get(name, "")


def _is_fast_dds() -> bool:
    return "rmw_fastrtps" in (_said("RMW_IMPLEMENTATION") or "rmw_fastrtps_cpp")


def _profiles() -> str:
    """Name of the variable with Fast DDS's profiles; version 3 warns of the older name."""
    older = os.environ.get("ROS_DISTRO") in ("humble", "iron", "jazzy")
    return "FASTRTPS_DEFAULT_PROFILES_FILE" if older else "FASTDDS_DEFAULT_PROFILES_FILE"
