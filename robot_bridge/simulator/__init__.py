"""A simulated Stretch behind stretch_driver's interface.

Files in the order that data flows through them:

``driver_logic``       modes, refusals, time-outs: commands in
``stretch_body``       what the driver needs of a robot
``motors``             trapezoidal profiles of joints and wheels
``kinematic_stretch``  a robot that is where its motors are
``mujoco_model``       URDF and scene -> MuJoCo model; the scenes are in ``scenes/``
``mujoco_stretch``     a robot with gravity and contact, steppable faster than real time
``bodies``             which of the two
``camera``             a view of the scene, off screen
``scene_topics``       the view and the things' poses, published; the window
``driver_node``        the ROS 2 node around it all
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
