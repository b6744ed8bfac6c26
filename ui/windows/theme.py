"""Colours and sizes. Colours are those of Okabe and Ito, *Color Universal Design*, 2008: nearly all tell them apart.

Nothing is shown by colour alone: states have a word and a shape too.
"""

from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

BLUE, SKY, GREEN = QColor("#0072B2"), QColor("#56B4E9"), QColor("#009E73")
YELLOW, ORANGE, RED, PURPLE = QColor("#F0E442"), QColor("#E69F00"), QColor("#D55E00"), QColor("#CC79A7")


@dataclass(frozen=True)
class Theme:
    """One look.

    Parameters
    ----------
    name : str
        ``light`` or ``dark``.
    back, panel, line, text, faint : QColor
        Window, raised areas, rules, writing, and writing of less weight.
    accent, good, warn, bad : QColor
        For what is shown, right, in doubt, wrong.
    skin, skin_line : QColor
        The drawn hand and its outline.
    text_scale : float
        By which writing is larger than usual.
    left_hand : bool
        Whether pictures are of the left hand.
    """

    name: str
    back: QColor
    panel: QColor
    line: QColor
    text: QColor
    faint: QColor
    accent: QColor
    good: QColor
    warn: QColor
    bad: QColor
    skin: QColor
    skin_line: QColor
    text_scale: float = 1.0
    left_hand: bool = False


LIGHT = Theme(
    "light",
    back=QColor("#F4F5F7"),
    panel=QColor("#FFFFFF"),
    line=QColor("#C9CDD3"),
    text=QColor("#15181C"),
    faint=QColor("#555C66"),
    accent=BLUE,
    good=QColor("#007A58"),
    warn=QColor("#8A5D00"),
    bad=QColor("#B84300"),
    skin=QColor("#E9C3A4"),
    skin_line=QColor("#4A3426"),
)
DARK = Theme(
    "dark",
    back=QColor("#14171B"),
    panel=QColor("#1F242A"),
    line=QColor("#3B424B"),
    text=QColor("#F2F4F6"),
    faint=QColor("#AEB6C0"),
    accent=SKY,
    good=QColor("#3CCB9F"),
    warn=ORANGE,
    bad=QColor("#FF8A4C"),
    skin=QColor("#D6A985"),
    skin_line=QColor("#2A1C13"),
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give a whole application one look."""
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, color in (
        (roles.Window, theme.back),
        (roles.Base, theme.panel),
        (roles.AlternateBase, theme.back),
        (roles.Button, theme.panel),
        (roles.WindowText, theme.text),
        (roles.Text, theme.text),
        (roles.ButtonText, theme.text),
        (roles.ToolTipBase, theme.panel),
        (roles.ToolTipText, theme.text),
        (roles.Highlight, theme.accent),
        (roles.HighlightedText, theme.panel),
        (roles.PlaceholderText, theme.faint),
    ):
        palette.setColor(role, color)
    app.setStyle("Fusion")
    app.setPalette(palette)


def font(points: float, *, bold: bool = False) -> QFont:
    """Return the application's font at a size."""
    chosen = QFont(QApplication.font())
    chosen.setPointSizeF(points)
    chosen.setBold(bold)
    return chosen
