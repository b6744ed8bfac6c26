"""Print how every DoF moves from each ready-made map, on a simulated Stretch, against the robot's table.

Usage: python benchmarks/bridge_motion.py [--kinematic] [--maps ten_gestures four_gestures two_sleeves]
"""

import argparse
import sys

import numpy as np

from benchmarks.motion_table import Motion, motion_table
from robot_bridge.gesture_map import load_gesture_maps
from robot_bridge.robot_model import RobotModel, load_robot_model
from simulation.stretch.kinematic_stretch import KinematicStretch
from simulation.stretch.stretch_body import StretchBody

TEN = ["rest", "fist", "hand_open", "tripod_pinch", "wrist_flexion", "wrist_extension"]
TEN += ["wrist_abduction", "wrist_adduction", "pronation", "supination"]
FOUR = ["rest", "fist", "hand_open", "wrist_flexion", "wrist_extension"]
DECODERS = {"ten_gestures": [TEN], "four_gestures": [FOUR], "two_sleeves": [TEN, TEN]}


def physical(model: RobotModel, positions: dict[str, float]) -> StretchBody:
    """Return a Stretch in MuJoCo, in an empty room."""
    from simulation.stretch.mujoco_stretch import MujocoStretch  # noqa: PLC0415 - an extra

    return MujocoStretch(model, positions, "empty")


def row(motion: Motion) -> str:
    """Return a line of the table."""
    spread = float(np.ptp(motion.steps))
    return (
        f"| {motion.gesture_map} | {motion.dof} {'+' if motion.direction > 0 else '-'} | "
        f"{'fine' if motion.fine else 'coarse'} | {motion.wanted:.3f} | {motion.speed:.3f} | "
        f"{100 * motion.off:+.1f} % | "
        f"{motion.after:.4f} | {motion.step:.4f} | {motion.steps.mean():.4f} | {spread:.4f} |"
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinematic", action="store_true", help="without physics")
    parser.add_argument("--maps", nargs="+", choices=sorted(DECODERS), default=list(DECODERS))
    args = parser.parse_args()
    model = load_robot_model()
    body = KinematicStretch if args.kinematic else physical
    print("| map | DoF | tier | table | reached | off | after release | step | made | spread |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    worst = 0.0
    for name in args.maps:
        maps = load_gesture_maps(name, DECODERS[name], model)
        for motion in motion_table(maps, model, body, lambda *_: None):
            worst = max(worst, abs(motion.off))
            print(row(motion), flush=True)
    print(f"\nworst speed: {100 * worst:.1f} % off the table")
    return 0


if __name__ == "__main__":
    sys.exit(main())
