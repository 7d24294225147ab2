"""What can go wrong while setting up, said so that a person can act on it."""

from __future__ import annotations


class Problem(Exception):
    """A failure with a sentence for people and what to do about it.

    :param message: what is wrong, one sentence.
    :param hint: what to do, or ``""``.
    :param code: exit status of the command (2: this machine needs something first; 1: it failed).
    """

    def __init__(self, message: str, hint: str = "", code: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
