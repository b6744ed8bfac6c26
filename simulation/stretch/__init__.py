"""A simulated Stretch behind stretch_driver's interface.

Files in the order that data flows through them:

- ``driver_logic``: modes, refusals, time-outs; commands in. ``pose_writes``: how poses get to the motors; ``gamepad``:
  what a Joy asks for; ``faults``: what is wrong
- ``variants``: which joints and which gripper each Stretch has
- ``stretch_body``: what the driver needs of a body; ``motors``: its profiles
- ``mujoco_model``, ``mujoco_stretch``: a body with physics, in one of the ``scenes``
- ``kinematic_stretch``: a body without, for machines without MuJoCo and for the many tests of the chain
- ``drawing_library``, ``drawing``: pictures off screen, and MuJoCo's viewer
- ``scene_topics``: where the scene's things are, published; ``pose``: what is said of each
- ``driver_node``: the ROS 2 node around them
"""

import threading

from simulation.stretch.driver_logic import SimSettings

__all__ = ["SimSettings", "run_sim_robot"]


def run_sim_robot(settings: SimSettings, stop: threading.Event) -> None:
    """Run the simulated robot until `stop` is set.

    Raises
    ------
    InputError
        If ROS 2 is not installed.
    """
    # Here, so that the kinematics can be used where no ROS is installed.
    from simulation.stretch.driver_node import run  # noqa: PLC0415

    run(settings, stop)
