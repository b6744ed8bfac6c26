"""A calibration from the signal check to the accepted decoder, without a window: a state machine that is ticked."""

from calibration.session_view import Action, SessionView, Traces


class CalibrationSession:
    """What a display drives: ``tick`` thirty times a second, ``view`` to draw, ``handle`` for what a person does."""

    def tick(self, now_s: float) -> None:
        """Go on to `now_s`, on the clock that the session was given."""
        raise NotImplementedError

    def handle(self, action: Action) -> None:
        """Do what a person asks; an action that is not allowed now is ignored."""
        raise NotImplementedError

    def view(self) -> SessionView:
        """Return what is to be shown; cheap, and never waits."""
        raise NotImplementedError

    def traces(self, seconds: float) -> Traces:
        """Return the newest EMG for a plot."""
        raise NotImplementedError

    def close(self) -> None:
        """End the recording properly and everything that was started."""
        raise NotImplementedError
