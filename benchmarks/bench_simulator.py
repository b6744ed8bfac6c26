"""The MuJoCo Stretch on one core, against bare MuJoCo stepping the same model; and the camera view.

Times are of the processor, so that other load disturbs them less. The peer is ``mujoco.mj_step`` on the very model,
without motors, profiles, stalls, odometry or driver: what no driver on this physics can be quicker than.

    MUJOCO_GL=egl python benchmarks/bench_simulator.py
"""

import json
import math
import resource
import threading
import time
from collections.abc import Callable

import mujoco

from robot_bridge.robot_model import load_robot_model
from robot_bridge.stretch_interface import joint_pose
from simulation.operator.cup_task import simulate_cup_task
from simulation.stretch.drawing import SceneCamera
from simulation.stretch.driver_logic import DriverLogic, SimSettings
from simulation.stretch.mujoco_model import TIMESTEP_S
from simulation.stretch.mujoco_stretch import MujocoStretch

SECONDS = 20.0
DRIVER_HZ = 30.0
CAMERA_S = 5.0
GOALS = (
    {"lift": 0.4, "arm": 0.4, "wrist_yaw": 2.0, "wrist_pitch": 0.2, "wrist_roll": 1.0, "gripper": 0.5},
    {"lift": 0.9, "arm": 0.1, "wrist_yaw": 0.0, "wrist_pitch": -0.8, "wrist_roll": -1.0, "gripper": 0.1},
)


def driven(body: MujocoStretch) -> None:
    """Drive every joint and the base for `SECONDS`, through the driver."""
    driver = DriverLogic(SimSettings(start_mode="navigation"), body)
    driver.set_streaming(True)
    for tick in range(round(SECONDS * DRIVER_HZ)):
        now_s = tick / DRIVER_HZ
        driver.on_cmd_vel(0.05, 0.3, now_s)
        driver.on_joint_pose(joint_pose(GOALS[int(now_s) // 4 % 2], (0.0, 0.0)))
        driver.step(now_s)
        driver.joint_states()


def bare(body: MujocoStretch) -> None:
    """Step the same model for as long, from the same start."""
    for _ in range(round(SECONDS * DRIVER_HZ)):
        mujoco.mj_step(body.model, body.data, round(1 / DRIVER_HZ / TIMESTEP_S))


def real_time_factor(run: Callable[[MujocoStretch], None], body: MujocoStretch) -> float:
    """Best of three; the first also warms up."""
    best = 0.0
    for _ in range(3):
        body.reset()
        began = time.process_time()
        run(body)
        best = max(best, SECONDS / (time.process_time() - began))
    return best


def camera_rate_hz(body: MujocoStretch) -> float:
    """Pictures a second, of the wall clock, while the robot is stepped in real time beside; NaN without OpenGL."""
    lock = threading.Lock()
    camera = SceneCamera(body, lock, lambda _picture: None)
    began = time.monotonic()
    while time.monotonic() < began + CAMERA_S:
        with lock:
            body.step(1 / DRIVER_HZ)
        time.sleep(1 / DRIVER_HZ)
    camera.close()
    if camera.failure is not None:
        print(f"the camera cannot draw here: {camera.failure}")
        return math.nan
    return camera.frames / CAMERA_S


def main() -> None:
    """Measure and print."""
    figures: dict[str, float] = {}
    began = time.process_time()
    body = MujocoStretch(load_robot_model(), SimSettings().start, "home")
    figures["load_ms"] = 1000 * (time.process_time() - began)
    figures["driven_real_time_factor"] = real_time_factor(driven, body)
    figures["bare_real_time_factor"] = real_time_factor(bare, body)
    began = time.process_time()
    outcome = simulate_cup_task()
    figures["cup_task_real_time_factor"] = outcome.seconds / (time.process_time() - began)
    figures["memory_mb_without_camera"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    figures["camera_frames_per_s"] = camera_rate_hz(body)
    for name, value in figures.items():
        print(f"{name:28} {value:8.1f}")
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
