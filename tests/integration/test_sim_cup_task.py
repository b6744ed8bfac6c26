"""By gestures alone: the cup is grasped, lifted, driven 1 m and set down upright."""

import pytest

pytest.importorskip("mujoco")
pytest.importorskip("stretch_urdf")

from simulation.operator.cup_task import simulate_cup_task


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
@pytest.mark.campaign
def test_it_succeeds_wherever_the_things_on_the_table_stand():
    outcomes = [simulate_cup_task(seed) for seed in range(100, 120)]
    assert all(outcome.success for outcome in outcomes), outcomes
