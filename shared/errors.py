"""Errors that may reach a user: a code for programs, a sentence and a hint for people."""

from __future__ import annotations

from enum import Enum


class Code(str, Enum):
    """Why something failed.  The values travel on the wire and never change their meaning."""

    BAD_REQUEST = "bad_request"
    UNSUPPORTED_PROTOCOL = "unsupported_protocol"
    TOO_LARGE = "too_large"
    UNKNOWN_ENGINE = "unknown_engine"
    UNKNOWN_STYLE = "unknown_style"
    UNKNOWN_OPTION = "unknown_option"
    OPTION_OUT_OF_RANGE = "option_out_of_range"
    EMPTY_SELECTION = "empty_selection"
    MASK_SIZE = "mask_size"
    UNSUPPORTED_FORMAT = "unsupported_format"
    NOT_FINITE = "not_finite"
    FILE_MISSING = "file_missing"
    FILE_UNREADABLE = "file_unreadable"
    DISK = "disk"
    MODEL_MISSING = "model_missing"
    MODEL_CORRUPT = "model_corrupt"
    OUT_OF_MEMORY = "out_of_memory"
    BUSY = "busy"
    CANCELLED = "cancelled"
    UNKNOWN_JOB = "unknown_job"
    NO_SESSION = "no_session"
    NO_BACKEND = "no_backend"
    BACKEND_LOST = "backend_lost"
    TIMEOUT = "timeout"
    INTERNAL = "internal"


#: Codes that mean "what you asked for cannot be done", not "the program failed".
BAD_INPUT = frozenset(
    {
        Code.BAD_REQUEST,
        Code.TOO_LARGE,
        Code.UNKNOWN_ENGINE,
        Code.UNKNOWN_STYLE,
        Code.UNKNOWN_OPTION,
        Code.OPTION_OUT_OF_RANGE,
        Code.EMPTY_SELECTION,
        Code.MASK_SIZE,
        Code.UNSUPPORTED_FORMAT,
        Code.NOT_FINITE,
        Code.FILE_MISSING,
        Code.FILE_UNREADABLE,
    }
)


class ScumbleError(Exception):
    """A failure with everything a user needs to get past it.

    :param code: stable, for programs.
    :param message: one human sentence; carries no path and no stack trace when it is to travel.
    :param hint: what the user can do about it, or ``""``.
    :param retry: whether the same request may succeed later.
    """

    def __init__(self, code: Code, message: str, hint: str = "", *, retry: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.retry = retry

    def __str__(self) -> str:
        return f"{self.message} ({self.code.value})"
