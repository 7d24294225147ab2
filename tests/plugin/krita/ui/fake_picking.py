"""Picking without a Krita and without a backend: answers come when, and as, a test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PyQt5 import QtGui

from scumble.plugin.common.failures import Failure, explain
from scumble.plugin.common.geometry import Rect
from scumble.plugin.krita.host.api import Picture, Target
from scumble.plugin.krita.picking import Combine, DocumentMask, Method
from scumble.shared.errors import ScumbleError
from scumble.shared.messages import MaskBuffer, PixelBuffer
from scumble.shared.segmenting import FoundMask, SegmentRequest, SegmentResult

METHODS = (
    Method("sam", "Segment Anything", "By an official checkpoint.", "Fetch its weights first."),
    Method("clicks", "Clicks", "A small network of ours.", "", True),
    Method("grabcut", "Colours and edges", "By colours and edges."),
)


def picture_of(image: Any, factor: int = 2, name: str = "Painting") -> Picture:
    """A picture of a layer whose pixels each stand for some of the document's."""
    image = image.convertToFormat(QtGui.QImage.Format.Format_RGBA8888)
    bits = image.constBits()
    bits.setsize(image.bytesPerLine() * image.height())
    stride, wide = image.bytesPerLine(), image.width() * 4
    rows = bytes(bits)
    data = b"".join(rows[y * stride : y * stride + wide] for y in range(image.height()))
    pixels = PixelBuffer(image.width(), image.height(), "rgba", "u8", data)
    rect = Rect(0, 0, image.width() * factor, image.height() * factor)
    return Picture(Target("doc", "layer", name), rect, pixels, image, factor)


def plain_picture(width: int = 120, height: int = 90) -> Picture:
    """A grey one."""
    image = QtGui.QImage(width, height, QtGui.QImage.Format.Format_RGB32)
    image.fill(QtGui.QColor(128, 128, 128))
    return picture_of(image)


def box_mask(x: int, y: int, width: int, height: int, score: float = 0.9) -> FoundMask:
    """A rectangle as a mask that was found."""
    mask = MaskBuffer(width, height, b"\xff" * (width * height), "u8", x, y)
    return FoundMask(mask, score, float(width * height))


@dataclass
class FakePicking:
    """See the module.

    :ivar asked: the questions as requests, each with what is to be called.
    :ivar refusal: what ``select`` and ``add_region`` fail with.
    """

    picture: Picture | None = field(default_factory=plain_picture)
    methods: tuple[Method, ...] = METHODS
    failure: Failure | None = None
    status: str = ""
    refusal: ScumbleError | None = None
    asked: list[tuple[SegmentRequest, Any]] = field(default_factory=list)
    styles: list[Any] = field(default_factory=list)
    selected: list[tuple[DocumentMask, Combine]] = field(default_factory=list)
    added: list[tuple[DocumentMask, str]] = field(default_factory=list)
    pictures: list[tuple[str, int, Any]] = field(default_factory=list)
    cancelled: int = 0
    add: Callable[[], str] = lambda: "r1"
    _open: Any = None

    @property
    def busy(self) -> bool:
        return self._open is not None

    def look(self, done: Callable[[Picture | None], None]) -> None:
        done(self.picture)

    def find(self, picture: Picture, done: Any, *, style: Any = None, **more: Any) -> None:
        self.failure, self._open = None, None
        self.styles.append(style)
        try:
            from scumble.shared.messages import BundledStyle

            reference = None if style is None else BundledStyle("any")
            request = SegmentRequest(picture.pixels, style=reference, **more)
        except ScumbleError as error:
            self.failure = explain(error)
            done(None)
            return
        self.asked.append((request, done))
        self._open = done

    @property
    def last(self) -> SegmentRequest:
        """The newest question."""
        return self.asked[-1][0]

    def answer(self, *masks: FoundMask, to: int = -1) -> None:
        """Answer a question; one that was asked before another is not listened to."""
        done = self.asked[to][1]
        if done is self._open:
            self._open = None
            done(SegmentResult(masks, "clicks"))

    def fail(self, error: ScumbleError) -> None:
        """The newest question fails."""
        done, self._open, self.failure = self._open, None, explain(error)
        done(None)

    def gallery_picture(self, style: str, side: int, done: Any) -> None:
        self.pictures.append((style, side, done))

    def cancel_question(self) -> None:
        self.cancelled += self._open is not None
        self._open = None

    cancel = cancel_question

    def enlarge(self, picture: Picture, mask: MaskBuffer, done: Any) -> None:
        self.failure = None
        f = picture.factor
        rect = Rect(mask.x * f, mask.y * f, mask.width * f, mask.height * f)
        done(DocumentMask(rect, b"\xff" * rect.pixels))

    def select(self, mask: DocumentMask, how: Combine = Combine.REPLACE) -> bool:
        return self._put(lambda: self.selected.append((mask, how)))

    def add_region(self, mask: DocumentMask, label: str = "") -> str:
        if not self._put(lambda: self.added.append((mask, label))):
            return ""
        return self.add()

    def _put(self, action: Callable[[], None]) -> bool:
        self.failure = None if self.refusal is None else explain(self.refusal)
        if self.refusal is None:
            action()
        return self.refusal is None
