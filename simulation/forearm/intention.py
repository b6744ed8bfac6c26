"""The Protocol of whoever can be told, while it runs, what a simulated hand is to do."""

from typing import Protocol


class Intending(Protocol):
    """A wearer that is steered live: by a stream of events, a keyboard or a program.

    An intention is what the wearer wants from now on; a person's reaction time belongs to whoever sets it.
    """

    @property
    def gestures(self) -> tuple[str, ...]:
        """The gestures that the wearer knows, ``rest`` first."""
        ...

    def set_intention(self, gesture: str, effort: float = 1.0) -> None:
        """Hold a gesture from now on; may be called from another thread.

        Raises
        ------
        InputError
            If the gesture is unknown or the effort lies outside 0 to 2.
        """
        ...
