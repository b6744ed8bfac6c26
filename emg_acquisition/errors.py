"""Errors that a person can act on: each message names what was wrong and what to do, in one line."""


class InputError(ValueError):
    """A file, an option or a setting that cannot be used as it is."""


class StreamNotFoundError(InputError):
    """No LSL stream fits the choice, or more than one does."""


class SearchStoppedError(StreamNotFoundError):
    """A search for an LSL stream was ended before its time."""


class StreamLostError(RuntimeError):
    """A stream that was being read has ended or has fallen silent."""
