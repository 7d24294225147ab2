"""What the windows that ask the backend for masks have in common: messages, keys, and a clean end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scumble.shared.messages import MaskBuffer

from ..interface import ControllerPort
from ..picking import DocumentMask, Picture
from ..qt import Qt, QtCore, QtWidgets
from . import theme
from .picture_view import PictureView
from .run import Tell


class MaskWindow(QtWidgets.QDialog):
    """A window over a picture.  Nothing that arrives after its end finds anybody.

    :param view: the picture on which messages are shown: it must not move under the pointer.
    :cvar KEYS: those that are meant for the window.  Krita has its own uses for most, and they must not
        reach its canvas from here.
    """

    KEYS: tuple[Any, ...] = ()

    def __init__(self, port: ControllerPort, view: PictureView, parent: Any = None) -> None:
        super().__init__(parent)
        self._port, self._picking, self._view = port, port.picking, view
        self._open = True
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.message = Tell("trouble", view)
        self.message.close_button.clicked.connect(self.message.hide)
        self.message.hide()
        view.resized.connect(self._place_message)

    def tell(self, sentence: str, hint: str = "") -> None:
        """Say what is the matter."""
        self.message.say(sentence, hint)
        self.message.show()
        self._place_message()

    def fail(self) -> None:
        """Say why the last question was not answered."""
        failure = self._picking.failure
        if failure is not None:
            self.tell(failure.sentence, failure.hint)

    def timer(self, every_ms: int, action: Callable[[], None], *, once: bool = False) -> Any:
        """A timer that ends with the window."""
        timer = QtCore.QTimer(self)
        timer.setInterval(every_ms)
        timer.setSingleShot(once)
        timer.timeout.connect(action)
        return timer

    def put_each(
        self,
        picture: Picture,
        masks: Sequence[MaskBuffer],
        put: Callable[[int, DocumentMask], bool],
        done: Callable[[], None],
    ) -> None:
        """Masks of a picture as masks of the document, one after another; what fails is said, and ends it.

        :param put: takes each with its number; false if that failed.
        :param done: called when all are put.
        """
        self.message.hide()

        def ask(at: int) -> None:
            if at == len(masks):
                done()
            else:
                self._picking.enlarge(picture, masks[at], lambda large: take(at, large))

        def take(at: int, large: DocumentMask | None) -> None:
            if not self._open:
                return
            if large is not None and put(at, large):
                ask(at + 1)
            else:
                self.fail()

        ask(0)

    def _place_message(self) -> None:
        margin = theme.unit(self) * 2
        wide = max(40, min(self._view.width() - 2 * margin, theme.unit(self) * 110))
        high = self.message.content.totalHeightForWidth(wide)
        self.message.setGeometry(margin, max(0, self._view.height() - high - margin), wide, high)

    def ended(self) -> None:
        """Called once, when the window goes."""

    def event(self, event: Any) -> bool:
        if event.type() == QtCore.QEvent.Type.ShortcutOverride and event.key() in self.KEYS:
            event.accept()
            return True
        return bool(super().event(event))

    def done(self, result: int) -> None:
        """Qt's way out, whichever it was."""
        self._end()
        super().done(result)

    def closeEvent(self, event: Any) -> None:
        self._end()
        super().closeEvent(event)

    def _end(self) -> None:
        if self._open:
            self._open = False
            self._picking.cancel()
            self.ended()
