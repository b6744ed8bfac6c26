"""The simulated stretch_driver in simulated time, as its tests use it."""

from robot_bridge.robot_model import load_robot_model
from simulation.stretch.driver_logic import DriverLogic, SimSettings
from simulation.stretch.kinematic_stretch import KinematicStretch
from simulation.stretch.variants import VARIANTS

TICK_S = 1 / 30
# Where the joints start, in the order of joint_pose_cmd, with nothing for the base.
START = {
    "arm": 0.2,
    "lift": 0.6,
    "wrist_yaw": 0.5,
    "wrist_pitch": -0.4,
    "wrist_roll": 0.0,
    "head_pan": 0.0,
    "head_tilt": 0.0,
    "gripper": 0.2,
    "translate": 0.0,
    "rotate": 0.0,
}


class NotedStretch(KinematicStretch):
    """A kinematic Stretch that notes what its wheels are told: ("velocity", v, w) or ("by", way, turn)."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.told = []
        velocity, by = self.set_base_velocity, self.move_base_by

        def set_base_velocity(translate, rotate):
            self.told.append(("velocity", translate, rotate))
            velocity(translate, rotate)

        def move_base_by(translate, rotate, *most):
            self.told.append(("by", translate, rotate))
            by(translate, rotate, *most)

        self.set_base_velocity, self.move_base_by = set_base_velocity, move_base_by


class Driver(DriverLogic):
    """The driver over a kinematic robot (or `body`), started at 10 s of a simulated clock."""

    def __init__(self, body=None, **settings):
        made = SimSettings(**settings)
        robot = body or NotedStretch(
            load_robot_model(), made.start, VARIANTS[made.robot], base_ramps=made.base_ramps
        )
        super().__init__(made, robot)
        self.t_s = 10.0
        self.step(self.t_s)
        if body is None:
            self.robot.told.clear()

    def run(self, seconds, each=None):
        """Let time pass, a tick at a time; `each` is called before every tick."""
        for _ in range(round(seconds / TICK_S)):
            if each is not None:
                each()
            self.t_s += TICK_S
            self.step(self.t_s)

    def call(self, service, *, value=True):
        """Call a service."""
        return self.serve(service, self.t_s, value=value)

    def ready(self, mode="navigation"):
        """Switch to a mode, with streaming."""
        assert self.call(f"switch_to_{mode}_mode")[0]
        assert self.call("activate_streaming_position")[0]
        return self

    def twist(self, translate=0.1, rotate=0.0):
        """Send a Twist."""
        self.on_cmd_vel(translate, rotate, self.t_s)

    def drive(self, seconds, translate=0.1, rotate=0.0):
        """Send Twists for a time."""
        self.run(seconds, lambda: self.twist(translate, rotate))

    def pose(self, **targets):
        """Send a pose: where the joints started, but for what is given."""
        order = (*self.variant.pose, "translate", "rotate")
        self.on_joint_pose([(START | targets)[joint] for joint in order], self.t_s)

    def at(self, joint):
        """Return where a joint is."""
        return self.robot.positions[joint]
