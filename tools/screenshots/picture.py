"""One picture: its looks and sizes, and how it is saved."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

# Eight levels of each of red, green and blue look the same.
PALETTE, REGION = 256, 0xFFF8F8F8
# Light and dark where the documentation shows it, and the other size.
LOOKS = (("light", 1280, 800), ("dark", 1280, 800), ("light", 1920, 1080), ("dark", 1920, 1080))


def save_picture(widget: QWidget, path: Path) -> None:
    """Save what a widget shows in at most 256 colours, at a third of the size.

    They are the commonest of each little region of the colour space, so that flat areas keep their very colour.
    """
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    colors, counts = np.unique(np.frombuffer(image.constBits(), dtype=np.uint32), return_counts=True)
    commonest_first = np.argsort(-counts, kind="stable")
    colors, counts = colors[commonest_first], counts[commonest_first]
    _, first, region = np.unique(colors & REGION, return_index=True, return_inverse=True)
    largest = np.argsort(-np.bincount(region, weights=counts), kind="stable")[:PALETTE]
    flat = Qt.ImageConversionFlag.ThresholdDither | Qt.ImageConversionFlag.AvoidDither
    image = image.convertToFormat(QImage.Format.Format_Indexed8, colors[first[largest]].tolist(), flat)
    smallest = 0  # of Qt's quality: most compression
    if not image.save(str(path), quality=smallest):
        msg = f"{path} cannot be written; choose another folder"
        raise OSError(msg)
    print(path.name)  # noqa: T201 - what it is for
