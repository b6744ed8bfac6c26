"""A Stretch 3 in a scene, as a MuJoCo model: the public URDF, its collision meshes, motors and finger pads.

Nothing but the collision meshes is loaded: eight-cornered hulls that draw fast and compile in 20 ms. What the URDF
lacks is added here:

- A planar base. Wheels and caster would drag and slip on the floor, so they touch nothing, and the base moves by
  x, y and heading.
- Motors: stiff springs to a target, with the force at which the real ones stall.
- Finger pads, four small soft spheres each, which hold a thing in a ring of contacts instead of a point.
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import mujoco

from emg_acquisition.errors import InputError
from robot_bridge.stretch_interface import ARM_SEGMENTS, JOINT_OF_DOF

Scene = Literal["home", "empty"]
SCENES = Path(__file__).parent / "scenes"
# Stretch 3, dex wrist, gripper SG3.
ROBOT_FOLDER = "SE3"
ROBOT_FILE = "stretch_description_SE3_eoa_wrist_dw3_tool_sg3.urdf"
TIMESTEP_S = 0.002
# Everything of the robot, but the joints of its base, is named after the URDF with this in front.
ROBOT = "robot/"
GRASP_SITE = f"{ROBOT}grasp"
FINGERS = ("left", "right")
BASE_JOINTS = ("base_x", "base_y", "base_heading")
FINGER_JOINTS = tuple(f"{ROBOT}joint_gripper_finger_{side}" for side in FINGERS)
ARM_JOINTS = tuple(f"{ROBOT}{segment}" for segment in ARM_SEGMENTS)
# The joints that follow one motor each.
JOINTS = {dof: f"{ROBOT}{joint}" for dof, joint in JOINT_OF_DOF.items() if dof not in {"arm", "gripper"}} | {
    "head_pan": f"{ROBOT}joint_head_pan",
    "head_tilt": f"{ROBOT}joint_head_tilt",
}
# Fingers meet at about zero; the motor goes on to its own limit and squeezes.
FINGER_RANGE = (-0.02, 0.68)
# Contact bits, explained in scenes/home.xml.
_ROBOT, _MEETS, _MEETS_BUT_FLOOR = 1, 2 | 4 | 8, 2 | 4
_NEAR_FLOOR = ("base_link", "link_mast", "laser")
_TOUCHES_NOTHING = ("wheel", "caster", "aruco", "imu", "respeaker", "fingertip")


@dataclass(frozen=True)
class Motor:
    """A joint's drive: spring and damper to its target, the force at which it stalls; N or N·m, m or rad."""

    stiffness: float
    damping: float
    stall: float

    @property
    def lead(self) -> float:
        """How far the target leads the joint when the motor stalls."""
        return self.stall / self.stiffness


MOTORS: Mapping[str, Motor] = {
    **dict.fromkeys(BASE_JOINTS[:2], Motor(20000.0, 1400.0, 100.0)),
    BASE_JOINTS[2]: Motor(4000.0, 200.0, 40.0),
    JOINTS["lift"]: Motor(20000.0, 700.0, 70.0),
    **dict.fromkeys(ARM_JOINTS, Motor(30000.0, 400.0, 40.0)),
    JOINTS["wrist_yaw"]: Motor(200.0, 5.0, 4.0),
    JOINTS["wrist_pitch"]: Motor(200.0, 4.0, 4.0),
    JOINTS["wrist_roll"]: Motor(100.0, 1.0, 2.0),
    JOINTS["head_pan"]: Motor(50.0, 1.0, 2.0),
    JOINTS["head_tilt"]: Motor(50.0, 1.0, 2.0),
    **dict.fromkeys(FINGER_JOINTS, Motor(8.0, 0.2, 3.0)),
}
# What holds a joint back whose drive is cut: gears and brushes.
_FREE_DAMPING = {
    JOINTS["lift"]: 60.0,
    **dict.fromkeys(ARM_JOINTS, 20.0),
    **dict.fromkeys(BASE_JOINTS[:2], 20.0),
}


def build_model(scene: Scene) -> mujoco.MjModel:
    """Put the robot into a scene and compile it.

    Raises
    ------
    InputError
        If the robot's description is not installed.
    """
    spec = mujoco.MjSpec.from_file(str(SCENES / f"{scene}.xml"))
    spec.option.timestep = TIMESTEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    # Soft contacts creep; what is held for a minute would turn in the hand.
    spec.option.noslip_iterations = 3
    base = spec.worldbody.add_body(name="base")
    slide, hinge = mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE
    base.add_joint(name=BASE_JOINTS[0], type=slide, axis=[1, 0, 0])
    base.add_joint(name=BASE_JOINTS[1], type=slide, axis=[0, 1, 0])
    base.add_joint(name=BASE_JOINTS[2], type=hinge, axis=[0, 0, 1])
    spec.attach(_robot(), prefix=ROBOT, frame=base.add_frame())
    for name, motor in MOTORS.items():
        _add_motor(spec, name, motor)
        if name not in BASE_JOINTS:
            _add_hold(spec, name)
    model = spec.compile()
    for name in MOTORS:
        model.joint(name).damping = _FREE_DAMPING.get(name, 0.05)
    return model


def description_folder() -> Path:
    """Folder of the robot's URDF and meshes.

    Raises
    ------
    InputError
        If the package that holds it is not installed.
    """
    found = importlib.util.find_spec("stretch_urdf")
    if found is None or not found.submodule_search_locations:
        msg = "the robot's description is not installed: pip install 'hdemg-teleop[sim]' (or use --kinematic)"
        raise InputError(msg)
    return Path(found.submodule_search_locations[0]) / ROBOT_FOLDER


def _robot() -> mujoco.MjSpec:
    folder = description_folder()
    options = '<mujoco><compiler discardvisual="true" fusestatic="false" strippath="true"/></mujoco></robot>'
    urdf = (folder / ROBOT_FILE).read_text(encoding="utf-8")
    robot = mujoco.MjSpec.from_string(urdf.replace("</robot>", options))
    robot.meshdir = str(folder / "meshes")
    for geom in robot.geoms:
        body = geom.parent.name
        silent = any(part in body for part in _TOUCHES_NOTHING)
        geom.contype = 0 if silent else _ROBOT
        geom.conaffinity = 0 if silent else _MEETS_BUT_FLOOR if body in _NEAR_FLOOR else _MEETS
        geom.friction = [0.4, 0.005, 0.0001]
        geom.rgba = (
            [0.22, 0.22, 0.24, 1.0] if "finger" in body or "gripper" in body else [0.68, 0.70, 0.72, 1]
        )
    for side in FINGERS:
        _add_pads(robot.body(f"link_gripper_fingertip_{side}"))
        joint = robot.joint(f"joint_gripper_finger_{side}")
        joint.range, joint.armature, joint.limited = (
            list(FINGER_RANGE),
            0.001,
            mujoco.mjtLimited.mjLIMITED_TRUE,
        )
    robot.body("link_grasp_center").add_site(name=GRASP_SITE.removeprefix(ROBOT), size=[0.005] * 3, group=4)
    robot.joint("joint_wrist_yaw").range = [-1.45, 4.60]
    return robot


def _add_pads(fingertip: mujoco.MjsBody) -> None:
    """Four soft spheres that stand 17 mm out of the fingertip's frame, as the rubber cup does."""
    radius, half = 0.008, 0.010
    for x in (-half, half):
        for y in (-half, half):
            pad = fingertip.add_geom(
                type=mujoco.mjtGeom.mjGEOM_SPHERE,
                size=[radius, 0, 0],
                pos=[x, y, 0.017 - radius],
                contype=_ROBOT,
                conaffinity=_MEETS,
                condim=4,
                friction=[1.5, 0.02, 0.0001],
                mass=0.0005,
                group=4,
            )
            pad.solref = [0.01, 1.0]


def _add_hold(spec: mujoco.MjSpec, joint: str) -> None:
    """Add what can hold a joint where it is, or push it along (`MujocoStretch.disturb`); it has let go at first."""
    hold = spec.add_equality(name=joint, type=mujoco.mjtEq.mjEQ_JOINT, name1=joint, active=False)
    hold.objtype = mujoco.mjtObj.mjOBJ_JOINT
    hold.solref = [0.01, 1.0]


def _add_motor(spec: mujoco.MjSpec, joint: str, motor: Motor) -> None:
    actuator = spec.add_actuator(name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT)
    actuator.gainprm[0] = motor.stiffness
    actuator.biastype = mujoco.mjtBias.mjBIAS_AFFINE
    actuator.biasprm[1:3] = [-motor.stiffness, -motor.damping]
    actuator.forcelimited = mujoco.mjtLimited.mjLIMITED_TRUE
    # Above the stall force, for the velocity term of a moving target.
    actuator.forcerange = [-2 * motor.stall, 2 * motor.stall]
