"""Errors as people read them: always a sentence and a hint, and whether another try is worth it."""

from __future__ import annotations

from dataclasses import dataclass

from scumble.shared.errors import BAD_INPUT, Code, ScumbleError

_AGAIN = "Try again; if it happens again, copy the report and tell us."
#: What to say where the backend did not.
_WORDS: dict[Code, tuple[str, str]] = {
    Code.BAD_REQUEST: (
        "The backend did not understand the request.",
        "Update Scumble's plugin and backend to the same version.",
    ),
    Code.UNSUPPORTED_PROTOCOL: (
        "Plugin and backend are of versions that do not fit together.",
        "Update both to the same version of Scumble.",
    ),
    Code.TOO_LARGE: ("This is too large.", "Select a smaller part, or scale the layer down."),
    Code.UNKNOWN_ENGINE: ("The backend does not have this engine.", "Choose another engine."),
    Code.UNKNOWN_STYLE: ("This style is not known.", "Choose another style."),
    Code.UNKNOWN_OPTION: (
        "The engine does not have one of the options.",
        "Reset the options, or update the plugin.",
    ),
    Code.OPTION_OUT_OF_RANGE: ("An option has a value that it cannot take.", "Reset the option."),
    Code.EMPTY_SELECTION: ("Nothing is selected.", "Select a part of the layer that has paint on it."),
    Code.MASK_SIZE: ("The selection does not fit the layer.", "Select again."),
    Code.UNSUPPORTED_FORMAT: (
        "Pixels of this kind are not supported.",
        "Convert the layer to RGB or grey, 8 or 16 bit integer, or 16 or 32 bit float.",
    ),
    Code.NOT_FINITE: (
        "The layer has values that are not numbers.",
        "Flatten or repaint the spots that look broken, or convert the layer to 16 bit integer.",
    ),
    Code.FILE_MISSING: ("The file is not there any more.", "Choose it again, or another one."),
    Code.FILE_UNREADABLE: ("The file cannot be read as a picture.", "Choose another file."),
    Code.DISK: ("The disk is full or refuses to be written to.", "Make room on the disk, then try again."),
    Code.MODEL_MISSING: ("A model that this needs is not installed.", "Install it, or choose another one."),
    Code.MODEL_CORRUPT: ("A model's file is damaged.", "Remove the model and install it again."),
    Code.OUT_OF_MEMORY: (
        "There is not enough memory for this.",
        "Select a smaller part, or close other programs.",
    ),
    Code.BUSY: ("The backend has too much to do.", "Wait until some of it is done, then try again."),
    Code.CANCELLED: ("This was cancelled.", "Start it again whenever you like."),
    Code.UNKNOWN_JOB: ("The backend does not know this job any more.", "Start it again."),
    Code.NO_SESSION: ("The backend does not know this editor any more.", "Try again."),
    Code.NO_BACKEND: (
        "The Scumble backend is not there.",
        "Run: python3 -m installer doctor, which says what is missing.",
    ),
    Code.BACKEND_LOST: ("The connection to the Scumble backend was lost.", _AGAIN),
    Code.TIMEOUT: ("The backend did not answer in time.", "It may be busy; try again in a moment."),
    Code.INTERNAL: ("Something went wrong inside Scumble.", _AGAIN),
}
#: Another try may go well by itself, or after the hint was followed.
_RETRY = frozenset(
    {
        Code.OUT_OF_MEMORY,
        Code.DISK,
        Code.BUSY,
        Code.NO_SESSION,
        Code.NO_BACKEND,
        Code.BACKEND_LOST,
        Code.TIMEOUT,
        Code.INTERNAL,
        Code.MODEL_MISSING,
        Code.MODEL_CORRUPT,
        Code.UNKNOWN_JOB,
    }
)
#: The backend never had the last word: asking again under the same id is right.
SAME_ID = frozenset({Code.BACKEND_LOST, Code.NO_BACKEND, Code.TIMEOUT})


@dataclass(frozen=True)
class Failure:
    """What went wrong.

    :param code: one of :class:`~scumble.shared.errors.Code`.
    :param sentence: one, for people.
    :param hint: what they can do.
    :param retry: whether trying the same again makes sense.
    :param report: whether it may be a fault of Scumble's, so that a report helps.
    """

    code: Code
    sentence: str
    hint: str
    retry: bool
    report: bool

    @property
    def text(self) -> str:
        """Sentence and hint on one line."""
        return f"{self.sentence} {self.hint}"


def explain(error: BaseException) -> Failure:
    """Any error as people read it.  What is not a :class:`ScumbleError` is ``internal``."""
    if not isinstance(error, ScumbleError):
        error = ScumbleError(Code.INTERNAL, "")
    sentence, hint = _WORDS[error.code]
    return Failure(
        error.code,
        error.message.strip() or sentence,
        error.hint.strip() or hint,
        error.retry or error.code in _RETRY,
        error.code not in BAD_INPUT and error.code is not Code.CANCELLED,
    )
