"""How far each DoF may travel after a fault, from the robot's own file (``robot_bridge/robot.yaml``).

Until the zero command, 300 ms at most, the joint or the wheels run on at the speed of their tier. A joint then has the
lead of its target left; a joint whose target jumps back overshoots it by no more than that lead, because its profile
never goes faster than it can brake within it. The wheels ramp down at the driver's default. The driver works at 30 Hz:
a command waits for one tick and its effect shows in the next state, so two ticks are added. What cuts the robot off
from the bridge adds its own time.
"""

from robot_bridge.robot_model import RobotModel
from simulation.stretch.motors import WHEEL_PROFILE

ZERO_LIMIT_S = 0.300
DRIVER_TICKS_S = 2 / 30


def travel_bound(model: RobotModel, dof: str, *, fine: bool, cut_off_s: float = 0.0) -> float:
    """Return the bound of a DoF's travel after a fault, in m or rad.

    Parameters
    ----------
    model : RobotModel
        Speeds and stop bounds.
    dof : str
        Which DoF was moving.
    fine : bool
        In which speed tier.
    cut_off_s : float
        For how much longer the fault itself keeps a command from the robot.
    """
    one = model.dof[dof]
    speed = one.speed(fine=fine)
    running_s = ZERO_LIMIT_S + DRIVER_TICKS_S
    if not one.joint:
        wheel_m = 1.0 if one.unit == "m" else model.wheels.separation_m / 2
        braking = speed**2 * wheel_m / (2 * WHEEL_PROFILE[1])
        return speed * (running_s + cut_off_s) + braking
    # A joint without commands comes to its last target and no further.
    return speed * running_s + one.lead_bound(speed)
