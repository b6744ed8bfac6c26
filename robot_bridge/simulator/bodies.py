"""Which body the simulated driver gets."""

from emg_acquisition.errors import InputError
from robot_bridge.robot_model import load_robot_model
from robot_bridge.simulator.driver_logic import SimSettings
from robot_bridge.simulator.kinematic_stretch import KinematicStretch
from robot_bridge.simulator.stretch_body import StretchBody


def build_body(settings: SimSettings) -> StretchBody:
    """Make the robot that the settings ask for, at its start.

    Raises
    ------
    InputError
        If MuJoCo or the robot's description is not installed.
    """
    model = load_robot_model(settings.robot_model)
    if settings.physics == "kinematic":
        return KinematicStretch(model, settings.start)
    try:
        # Here, for MuJoCo need not be installed.
        from robot_bridge.simulator.mujoco_stretch import MujocoStretch  # noqa: PLC0415
    except ImportError as error:
        msg = f"MuJoCo is not installed: pip install 'hdemg-teleop[sim]', or use --kinematic ({error})"
        raise InputError(msg) from error
    return MujocoStretch(model, settings.start, settings.scene)
