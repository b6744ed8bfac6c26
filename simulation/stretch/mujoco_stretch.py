"""The simulated Stretch in MuJoCo: gravity, contact and stalling motors; steppable faster than real time.

Every motor follows its profile (`motors`), and a stiff spring pulls the joint along; a motor whose joint is held
back waits there at its stall force. The two fingers hang on one motor by springs, so a closed gripper goes on
squeezing what it holds while the motor's own position, which is what joint_states report, moves on.

A run-stop cuts the drives: the base and the arm can be pushed freely, the lift floats (its weight is balanced),
wrist and gripper go limp. With the drives on, the weight of the robot itself is balanced everywhere.
"""

import math
from collections.abc import Collection, Mapping

import mujoco
import numpy as np

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import InputError
from robot_bridge.robot_model import RobotModel
from simulation.stretch.motors import BaseState, Motors
from simulation.stretch.mujoco_model import (
    ARM_JOINTS,
    BASE_JOINTS,
    FINGER_JOINTS,
    FINGERS,
    GRASP_SITE,
    JOINTS,
    MOTORS,
    TIMESTEP_S,
    Scene,
    build_model,
)
from simulation.stretch.pose import Pose
from simulation.stretch.stretch_body import REST_EFFORT_PCT

# Motors and physics: two physics steps to one of the motors.
STEPS_PER_CONTROL = 2
CONTROL_S = TIMESTEP_S * STEPS_PER_CONTROL
# A limp finger is opened by its own spring, N·m/rad and rad.
LIMP_SPRING, LIMP_OPENING = 0.5, 0.45
# The scene's switch, off at first, and the light that it switches.
SWITCH, LAMPLIGHT = "switch", "lamplight"
# How far `reset` with a seed moves things about, each way.
JITTER_M = 0.02


class MujocoStretch:
    """`StretchBody` with physics, in a scene whose things can be looked up.

    Parameters
    ----------
    model : RobotModel
        Position limits and wheels.
    positions : mapping of str to float
        Where the joint DoF start, m or rad.
    scene : {"home", "empty"}
        What is around the robot; ``scenes/*.xml``.
    base_ramps : bool
        Whether the wheels ramp to a commanded velocity.

    Raises
    ------
    InputError
        If the robot's description is not installed.
    """

    def __init__(
        self,
        model: RobotModel,
        positions: Mapping[str, float],
        scene: Scene = "home",
        *,
        base_ramps: bool = True,
    ) -> None:
        self.model = build_model(scene)
        self.data = mujoco.MjData(self.model)
        self._robot_model = model
        self._start = dict(positions)
        self._base_ramps = base_ramps
        joints = {name: self.model.joint(name) for name in MOTORS}
        self._qpos = {name: int(joint.qposadr[0]) for name, joint in joints.items()}
        self._dof = {name: int(joint.dofadr[0]) for name, joint in joints.items()}
        self._ctrl = {name: int(self.model.actuator(name).id) for name in MOTORS}
        self._balanced = np.array([self._dof[name] for name in MOTORS])
        self._gains = (self.model.actuator_gainprm.copy(), self.model.actuator_biasprm.copy())
        free = self.model.jnt_type == mujoco.mjtJoint.mjJNT_FREE
        hinges = self.model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
        names = [self.model.joint(joint).name for joint in np.flatnonzero(hinges)]
        self.hinges = tuple(name for name in names if name not in MOTORS)
        self.things = tuple(self.model.body(body).name for body in self.model.jnt_bodyid[free])
        self.reset()

    def reset(
        self,
        positions: Mapping[str, float] | None = None,
        base_pose: tuple[float, float, float] = (0.0, 0.0, 0.0),
        seed: int | None = None,
    ) -> None:
        """Put everything back to the beginning, at simulated time zero; odometry starts at the base's pose.

        Parameters
        ----------
        positions : mapping of str to float, optional
            Where the joint DoF start, m or rad; as at construction without.
        base_pose : tuple of float
            x and y in m, heading in rad.
        seed : int, optional
            Move every loose thing about by up to `JITTER_M` each way; in their places without.
        """
        mujoco.mj_resetData(self.model, self.data)
        self._motors = Motors(self._robot_model, positions or self._start, base_ramps=self._base_ramps)
        self.limits_of = self._motors.limits_of
        self.set_targets = self._motors.set_targets
        self.set_base_velocity = self._motors.set_base_velocity
        self.move_base_by = self._motors.wheels.move_by
        self.base = BaseState(*base_pose)
        self._base_target = BaseState(*base_pose)
        self._stalled: set[str] = set()
        # Joints of the model that somebody holds, and how fast each is pushed along.
        self._held: dict[str, float] = {}
        self._left_over_s = 0.0
        self._restore_drives()
        for name, target in self._targets().items():
            self.data.qpos[self._qpos[name]] = target
        if SWITCH in self.hinges:
            self.data.joint(SWITCH).qpos = self.model.joint(SWITCH).range[0]
        if seed is not None:
            self._scatter(np.random.default_rng(seed))
        mujoco.mj_forward(self.model, self.data)

    def _scatter(self, rng: np.random.Generator) -> None:
        for thing in self.things:
            at = int(self.model.joint(thing).qposadr[0])
            self.data.qpos[at : at + 2] += rng.uniform(-JITTER_M, JITTER_M, 2)

    # ---- the body that the driver drives

    @property
    def t_s(self) -> float:
        """Simulated time since the reset."""
        return float(self.data.time)

    @property
    def positions(self) -> Mapping[str, float]:
        """Measured joint positions, m or rad; the gripper's is its motor's, as finger angle."""
        qpos = self.data.qpos
        measured = {joint: float(qpos[self._qpos[name]]) for joint, name in JOINTS.items()}
        measured["arm"] = float(sum(qpos[self._qpos[name]] for name in ARM_JOINTS))
        motor = self._motors.joints["gripper"].position
        measured["gripper"] = self.finger_angle_rad if self._let_go else motor
        return measured

    @property
    def velocities(self) -> Mapping[str, float]:
        """Measured joint velocities, m/s or rad/s."""
        qvel = self.data.qvel
        measured = {joint: float(qvel[self._dof[name]]) for joint, name in JOINTS.items()}
        measured["arm"] = float(sum(qvel[self._dof[name]] for name in ARM_JOINTS))
        measured["gripper"] = self._motors.joints["gripper"].velocity
        return measured

    @property
    def efforts(self) -> Mapping[str, float]:
        """Motor efforts, % of the force at which each stalls; the lift's weight is balanced and counts as its rest."""
        efforts = {}
        for joint in self._motors.joints:
            names = _joints_of(joint)
            forces = [self.data.actuator_force[self._ctrl[name]] / MOTORS[name].stall for name in names]
            drive = 0.0 if self._let_go else 100.0 * float(np.mean(forces))
            efforts[joint] = max(-100.0, min(100.0, REST_EFFORT_PCT.get(joint, 0.0) + drive))
        return efforts

    def target_of(self, joint: str) -> float:
        """Target that a joint moves to or holds."""
        return self._motors.joints[joint].target

    def is_still(self) -> bool:
        """Tell whether no motor is moving; one that stalls is not."""
        joints = self._motors.joints.items()
        moving = any(profile.velocity for joint, profile in joints if joint not in self._stalled)
        wheels = self._motors.wheels
        return not (moving or wheels.velocity_m_s or wheels.velocity_rad_s)

    def halt(self) -> None:
        """Stop every motor where it is."""
        for joint, position in self.positions.items():
            self._motors.joints[joint].stop_at(position)
        self._motors.wheels.stop()
        self._base_target = BaseState(self.base.x_m, self.base.y_m, self.base.heading_rad)

    def set_runstopped(self, runstopped: bool) -> None:
        """Cut the drives, or restore them where everything is then."""
        self.halt()
        if not runstopped:
            self._restore_drives()
            return
        self._let_go = True
        self.model.actuator_gainprm[list(self._ctrl.values()), 0] = 0.0
        self.model.actuator_biasprm[list(self._ctrl.values()), :3] = 0.0
        fingers = [self._ctrl[name] for name in FINGER_JOINTS]
        self.model.actuator_gainprm[fingers, 0] = LIMP_SPRING
        self.model.actuator_biasprm[fingers, 1] = -LIMP_SPRING
        self.data.ctrl[fingers] = LIMP_OPENING

    def disturb(
        self,
        blocked: Collection[str],
        pushed: Mapping[str, float],
        runaway: tuple[float, float] | None,
    ) -> None:
        """Hold joints or the base where they are, push joints at a speed, let the wheels run away; until told again."""
        self._motors.wheels.blocked = "base" in blocked
        self._motors.wheels.runaway = runaway
        speeds = {**pushed, **dict.fromkeys(set(blocked) - {"base"}, 0.0)}
        held = {
            name: speed / len(_joints_of(joint)) if joint == "arm" else speed
            for joint, speed in speeds.items()
            for name in _joints_of(joint)
        }
        for name in self._held.keys() - held.keys():
            self.data.eq_active[self.model.equality(name).id] = 0
        for name in held.keys() - self._held.keys():
            hold = self.model.equality(name)
            hold.data[0] = self.data.qpos[self._qpos[name]] - self.model.qpos0[self._qpos[name]]
            self.data.eq_active[hold.id] = 1
        self._held = held

    def _restore_drives(self) -> None:
        self._let_go = False
        self.model.actuator_gainprm[:], self.model.actuator_biasprm[:] = self._gains

    def step(self, dt_s: float) -> None:
        """Move on by a time; what does not fill a motor step of 4 ms is kept for the next call."""
        self._left_over_s += max(0.0, dt_s)
        while self._left_over_s >= CONTROL_S - 1e-9:
            self._left_over_s -= CONTROL_S
            self._control()
            mujoco.mj_step(self.model, self.data, STEPS_PER_CONTROL)
        self._read_base()
        if SWITCH in self.hinges:
            self.model.light(LAMPLIGHT).active = self.joint_angle_rad(SWITCH) > 0

    # ---- what is around it

    def pose(self, name: str) -> Pose:
        """Where a body of the scene or of the robot is.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        try:
            body = self.data.body(name)
        except KeyError as error:
            msg = f"no body {name!r} in the scene; loose things: {', '.join(self.things) or 'none'}"
            raise InputError(msg) from error
        return Pose(body.xpos.copy(), body.xquat.copy())

    @property
    def grasp_point_m(self) -> Float64Array:
        """Point between the finger pads, shape (3,)."""
        return np.array(self.data.site(GRASP_SITE).xpos)

    @property
    def finger_angle_rad(self) -> float:
        """Mean angle of the fingers themselves."""
        return float(np.mean([self.data.qpos[self._qpos[name]] for name in FINGER_JOINTS]))

    def joint_angle_rad(self, name: str) -> float:
        """Angle of a hinge of the scene: ``door``, ``switch`` (on above zero)."""
        return float(self.data.joint(name).qpos[0])

    def fingers_touching(self, thing: str) -> frozenset[str]:
        """Which fingers, ``left`` and ``right``, touch a loose thing."""
        body, touching = self.model.body(thing).id, set()
        for contact in self.data.contact:
            bodies = {int(self.model.geom_bodyid[geom]) for geom in (contact.geom1, contact.geom2)}
            if body in bodies:
                other = self.model.body((bodies - {body}).pop()).name
                touching |= {side for side in FINGERS if other.endswith(f"fingertip_{side}")}
        return frozenset(touching)

    # ---- inside

    def _control(self) -> None:
        """Move the motors on, keep them within stall of their joints, and balance the robot's own weight."""
        data = self.data
        for name, speed in self._held.items():
            self.model.equality(name).data[0] += speed * CONTROL_S
        if self._let_go:
            lift = self._dof[JOINTS["lift"]]
            data.qfrc_applied[self._balanced] = 0.0
            data.qfrc_applied[lift] = data.qfrc_bias[lift]
            return
        self._stall()
        self._motors.step(CONTROL_S)
        wheels = self._motors.wheels
        self._base_target.move(wheels.velocity_m_s, wheels.velocity_rad_s, CONTROL_S)
        velocities = self._target_velocities()
        for name, target in self._targets().items():
            motor = MOTORS[name]
            data.ctrl[self._ctrl[name]] = target + motor.damping / motor.stiffness * velocities.get(name, 0.0)
        data.qfrc_applied[self._balanced] = data.qfrc_bias[self._balanced]

    def _targets(self) -> dict[str, float]:
        joints, base = self._motors.joints, self._base_target
        segment = joints["arm"].position / len(ARM_JOINTS)
        return {
            **dict(zip(BASE_JOINTS, (base.x_m, base.y_m, base.heading_rad), strict=True)),
            **{name: joints[joint].position for joint, name in JOINTS.items()},
            **dict.fromkeys(ARM_JOINTS, segment),
            **dict.fromkeys(FINGER_JOINTS, joints["gripper"].position),
        }

    def _target_velocities(self) -> dict[str, float]:
        joints, base = self._motors.joints, self._base_target
        along = (math.cos(base.heading_rad), math.sin(base.heading_rad))
        velocity = (base.velocity_m_s * along[0], base.velocity_m_s * along[1], base.velocity_rad_s)
        return {
            **dict(zip(BASE_JOINTS, velocity, strict=True)),
            **{name: joints[joint].velocity for joint, name in JOINTS.items()},
            **dict.fromkeys(ARM_JOINTS, joints["arm"].velocity / len(ARM_JOINTS)),
            **dict.fromkeys(FINGER_JOINTS, joints["gripper"].velocity),
        }

    def _stall(self) -> None:
        leads = {joint: MOTORS[name].lead for joint, name in JOINTS.items()}
        leads["arm"] = len(ARM_JOINTS) * MOTORS[ARM_JOINTS[0]].lead
        leads["gripper"] = MOTORS[FINGER_JOINTS[0]].lead
        measured = {**self.positions, "gripper": self.finger_angle_rad}
        self._stalled.clear()
        for joint, profile in self._motors.joints.items():
            ahead = profile.position - measured[joint]
            if abs(ahead) > leads[joint]:
                self._stalled.add(joint)
                profile.stall_at(measured[joint] + math.copysign(leads[joint], ahead))
        qpos, target = self.data.qpos, self._base_target
        for name, attribute in zip(BASE_JOINTS, ("x_m", "y_m", "heading_rad"), strict=True):
            at, lead = float(qpos[self._qpos[name]]), MOTORS[name].lead
            setattr(target, attribute, max(at - lead, min(at + lead, getattr(target, attribute))))

    def _read_base(self) -> None:
        qpos, qvel = self.data.qpos, self.data.qvel
        x, y, heading = (float(qpos[self._qpos[name]]) for name in BASE_JOINTS)
        vx, vy, turning = (float(qvel[self._dof[name]]) for name in BASE_JOINTS)
        base = self.base
        middle = (base.heading_rad + heading) / 2
        base.travel_m += (x - base.x_m) * math.cos(middle) + (y - base.y_m) * math.sin(middle)
        base.x_m, base.y_m, base.heading_rad = x, y, heading
        base.velocity_m_s = vx * math.cos(heading) + vy * math.sin(heading)
        base.velocity_rad_s = turning


def _joints_of(joint: str) -> tuple[str, ...]:
    """Return the model's joints that a joint DoF, or one of the head, is made of."""
    return {"arm": ARM_JOINTS, "gripper": FINGER_JOINTS}.get(joint) or (JOINTS[joint],)
