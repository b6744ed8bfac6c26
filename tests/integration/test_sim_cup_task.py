"""By gestures alone: the cup is grasped, lifted, driven 1 m and set down upright; and what the camera shows of it."""

import numpy as np
import pytest

pytest.importorskip("mujoco")
pytest.importorskip("stretch_urdf")

from emg_acquisition.errors import InputError
from evaluation.cup_task import simulate_cup_task
from robot_bridge.robot_model import load_robot_model
from robot_bridge.simulator.camera import HEIGHT, WIDTH, Camera, Drawing
from robot_bridge.simulator.driver_logic import SimSettings
from robot_bridge.simulator.mujoco_stretch import MujocoStretch


def test_gestures_grasp_the_cup_lift_it_drive_it_1_m_and_set_it_down_upright():
    outcome = simulate_cup_task(seed=7)
    print(outcome)  # noqa: T201 - a figure
    assert outcome.lifted_m > 0.10
    assert outcome.driven_m == pytest.approx(1.0, abs=0.03)
    assert outcome.off_table_m == pytest.approx(0.0, abs=0.002)
    assert outcome.tilt_rad < 0.02
    assert outcome.let_go
    assert outcome.success


@pytest.mark.slow
def test_it_succeeds_wherever_the_things_on_the_table_stand():
    outcomes = [simulate_cup_task(seed) for seed in range(100, 120)]
    assert all(outcome.success for outcome in outcomes), outcomes


@pytest.fixture(scope="module")
def home() -> MujocoStretch:
    return MujocoStretch(load_robot_model(), SimSettings().start)


def test_the_camera_draws_the_scene_and_sees_the_cup_move(home):
    try:
        drawing = Drawing(home.model)
    except InputError as error:
        pytest.skip(f"no off-screen OpenGL here: {error}")
    try:
        home.reset()
        there = drawing.draw(home.data.qpos).copy()
        home.data.joint("cup").qpos[0] += 0.3
        moved = drawing.draw(home.data.qpos).copy()
    finally:
        drawing.close()
    assert there.shape == (HEIGHT, WIDTH, 3)
    # a blue cup before a brown table: little changes, but clearly, and only around it
    changed = np.argwhere(np.abs(there.astype(int) - moved).max(axis=2) > 30)
    assert 20 < len(changed) < 0.02 * HEIGHT * WIDTH
    blue = there[..., 2].astype(int) - there[..., 0]
    assert blue[tuple(changed.T)].max() > 60


def test_the_camera_thread_shows_the_newest_state_and_ends(home):
    pictures = []
    try:
        camera = Camera(home.model, pictures.append)
    except InputError as error:
        pytest.skip(f"no off-screen OpenGL here: {error}")
    try:
        for _ in range(200):
            camera.show(home.data.qpos)
            home.step(1 / 30)
            if len(pictures) >= 2:
                break
            camera._ending.wait(0.05)
    finally:
        camera.close()
    assert len(pictures) >= 2
    assert not camera._thread.is_alive()
