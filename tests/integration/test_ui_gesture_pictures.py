"""The gestures' pictures: all there, all different, mirrored for the other hand, whole at any size."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer
from ui.windows.gesture_picture import PICTURES, paint_gesture
from ui.windows.theme import DARK, LIGHT


def drawn(gesture, theme=LIGHT, side=160):
    image = QImage(side, side, QImage.Format.Format_RGB32)
    image.fill(theme.panel)
    painter = QPainter(image)
    paint_gesture(painter, gesture, QRectF(0, 0, side, side), theme)
    painter.end()
    return np.frombuffer(image.constBits(), dtype=np.uint8).reshape(side, side, 4)[:, :, :3].astype(int)


def test_every_gesture_of_the_wearer_has_a_picture_of_its_own(qapp):
    gestures = SimulatedWearer(WearerSettings(seed=1)).gestures
    assert set(gestures) == set(PICTURES)
    pictures = [drawn(name) for name in gestures]
    for k, one in enumerate(pictures):
        ink = (np.abs(one - one[0, 0]).sum(axis=2) > 60).mean()
        assert 0.1 < ink < 0.8, gestures[k]
        for other in range(k):
            differs = (np.abs(one - pictures[other]).sum(axis=2) > 60).mean()
            assert differs > 0.04, (gestures[k], gestures[other])


@pytest.mark.parametrize("gesture", PICTURES)
def test_the_other_hand_is_its_mirror(qapp, gesture):
    right = drawn(gesture)
    left = drawn(gesture, replace(LIGHT, left_hand=True))
    assert (np.abs(left - right[:, ::-1]).sum(axis=2) > 90).mean() < 0.02
    assert (np.abs(left - right).sum(axis=2) > 90).mean() > 0.02


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_others_get_a_plain_hand_and_their_name(qapp, theme):
    one, other = drawn("index_point", theme), drawn("thumb_up", theme)
    assert (np.abs(one - one[0, 0]).sum(axis=2) > 60).mean() > 0.1
    differs = np.abs(one - other).sum(axis=2) > 60
    # The hand above is the same; the name below is not.
    assert differs[: int(0.7 * len(one))].mean() < 0.001
    assert differs[int(0.8 * len(one)) :].any()
