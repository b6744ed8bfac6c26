"""Errors of the bridge that a person can act on."""


class CommandRejectedError(RuntimeError):
    """The bridge refused an operator's request, or did not answer; the message is its reason."""
