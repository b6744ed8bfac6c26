"""How far each DoF may travel after a fault, from the robot's own file (``robot_bridge/robot.yaml``).

Until the zero command, 300 ms at most, the joint or the wheels run on at the speed of their tier; what is left then is
the lead of the joint's target. The simulated driver works at 30 Hz: a command waits for one tick and its effect
shows in the next state, so two ticks are added. What cuts the robot off from the bridge adds its own time.
"""

from robot_bridge.robot_model import RobotModel

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
    if one.stop_bound is None:
        return speed * (running_s + cut_off_s)
    # A joint without commands comes to its last target and no further.
    return speed * running_s + one.lead_bound(speed)
