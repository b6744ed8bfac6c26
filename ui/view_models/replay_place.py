"""Where a person is in a recorded session, what of it is shown, and whether it plays."""

from collections.abc import Iterable

FIRST_SPAN_S = 20.0
LEAST_SPAN_S = 0.2
# A cursor that has left what is shown comes back in at this part of it.
LEAD_IN = 0.25
# A jump from where one stands must not find the same place again.
SAME_PLACE_S = 1e-6


class ReplayPlace:
    """A cursor and a view, in seconds from the session's first sample.

    Parameters
    ----------
    seconds : float
        How long the session is.
    speed : float
        Times real time when it plays.
    """

    def __init__(self, seconds: float, speed: float = 1.0) -> None:
        self.seconds, self.speed = seconds, speed
        self.cursor_s, self.playing = 0.0, False
        self.begin_s, self.end_s = 0.0, min(seconds, FIRST_SPAN_S)

    def seek(self, t_s: float) -> None:
        """Go to a time; the view comes along where it must."""
        self.cursor_s = min(max(0.0, t_s), self.seconds)
        if not self.begin_s <= self.cursor_s <= self.end_s:
            span_s = self.end_s - self.begin_s
            self.show(self.cursor_s - LEAD_IN * span_s, self.cursor_s + (1 - LEAD_IN) * span_s)

    def show(self, begin_s: float, end_s: float) -> None:
        """Show a stretch, moved and cut to what there is; the cursor stays."""
        span_s = min(max(LEAST_SPAN_S, end_s - begin_s), self.seconds)
        self.begin_s = min(max(0.0, begin_s), self.seconds - span_s)
        self.end_s = self.begin_s + span_s

    def zoom(self, factor: float, about_s: float | None = None) -> None:
        """Show `factor` times as much, and keep a time (the cursor, if it is shown) where it is on the screen."""
        if about_s is None:
            shown = self.begin_s <= self.cursor_s <= self.end_s
            about_s = self.cursor_s if shown else (self.begin_s + self.end_s) / 2
        self.show(about_s - factor * (about_s - self.begin_s), about_s + factor * (self.end_s - about_s))

    def show_all(self) -> None:
        """Show the whole session."""
        self.show(0.0, self.seconds)

    def play_or_pause(self) -> None:
        """Play on from the cursor, or from the beginning where it stands at the end; or pause."""
        if not self.playing and self.cursor_s >= self.seconds:
            self.seek(0.0)
        self.playing = not self.playing

    def advance(self, seconds: float) -> None:
        """Let time go on while it plays; it pauses at the end."""
        if not self.playing:
            return
        self.seek(self.cursor_s + self.speed * seconds)
        self.playing = self.cursor_s < self.seconds

    def jump(self, times_s: Iterable[float], way: int) -> bool:
        """Pause and go to the next (1) or previous (-1) of some times; whether there is one."""
        beyond = [t_s for t_s in times_s if (t_s - self.cursor_s) * way > SAME_PLACE_S]
        if not beyond:
            return False
        self.playing = False
        self.seek(min(beyond) if way > 0 else max(beyond))
        return True


def clock(t_s: float) -> str:
    """Write a time as minutes, seconds and milliseconds."""
    t_ms = round(1000 * t_s)
    return f"{t_ms // 60000}:{t_ms // 1000 % 60:02d}.{t_ms % 1000:03d}"
