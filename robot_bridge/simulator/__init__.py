"""A simulated Stretch behind stretch_driver's interface.

Files in the order that data flows through them: ``driver_logic`` (modes, refusals, time-outs: commands in),
``kinematic_stretch`` (how the robot moves), ``driver_node`` (the ROS 2 node around both).
"""

import threading

from robot_bridge.simulator.driver_logic import SimSettings

__all__ = ["SimSettings", "run_sim_robot"]


def run_sim_robot(settings: SimSettings, stop: threading.Event) -> None:
    """Run the simulated robot until `stop` is set.

    Raises
    ------
    InputError
        If ROS 2 is not installed.
    """
    # Here, so that the kinematics can be used where no ROS is installed.
    from robot_bridge.simulator.driver_node import run  # noqa: PLC0415

    run(settings, stop)
