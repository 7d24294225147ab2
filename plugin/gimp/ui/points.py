"""The dialog of *Select by Points*: clicks on a reduced copy of the layer, with the mask shown at once."""

from __future__ import annotations

from typing import Any

from scumble.plugin.common.geometry import Rect
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import PixelBuffer
from scumble.shared.segmenting import FoundMask, Point, SegmentRequest, SegmentResult

from .. import arguments, names, registered
from ..document import Document
from ..points import of_selected_paths
from ..reduced import Reduced
from . import kit
from .kit import SPACE, Gdk, GdkPixbuf, GimpUi, Gtk, column, label, on_checks, rgba, row, spread_grey
from .picking import Picker

SIDE = 480
#: What is not selected is darkened, what is selected gets a tint.
_DARK, _TINT = (0, 0, 0, 150), (60, 160, 255, 50)
_RADIUS = 6


def ask(procedure: Any, config: Any, document: Document) -> tuple[Point, ...]:
    """The points in pixels of the image; raises ``cancelled``."""
    kit.start()
    dialog = Dialog(procedure, config, document)
    return dialog.ask()


class Dialog:
    """See the module."""

    def __init__(self, procedure: Any, config: Any, document: Document) -> None:
        self._config, self._document = config, document
        self._small = Reduced(document, [], SIDE)
        rect = self._small.rect
        data = self._small.layer_pixels(rect)
        grey = len(data) == rect.width * rect.height * 2
        self._plain = on_checks(rgba(spread_grey(data) if grey else data, rect.width, rect.height))
        self._pixels = PixelBuffer(
            rect.width, rect.height, self._small.pixel_format().layout, "u8", data, "srgb"
        )
        self._points = [point for point in of_selected_paths(document.image) if self._inside(point)]
        self._mask: FoundMask | None = None
        self._dialog = GimpUi.ProcedureDialog.new(procedure, config, "Scumble: select by points")
        self._dialog.set_ok_label("Selec_t")
        self._picker = Picker(self._found)
        self._build()
        self._changed()

    def ask(self) -> tuple[Point, ...]:
        """Until the user has decided."""
        try:
            while self._dialog.run():
                if any(point.positive for point in self._points):
                    self._config.set_property("points", arguments.points_text(self._points))
                    return tuple(self._points)
                self._status.set_text("Click at least once on what you want to select.")
            raise ScumbleError(Code.CANCELLED, "")
        finally:
            self._picker.close()
            kit.end(self._dialog)

    # -- what it is made of ----------------------------------------------------------------------------

    def _build(self) -> None:
        self._picture = Gtk.Image()
        events = Gtk.EventBox(halign=Gtk.Align.CENTER)
        events.add(self._picture)
        events.add_events(Gdk.EventMask.BUTTON_PRESS_MASK)
        events.connect("button-press-event", self._clicked)
        frame = Gtk.Frame(shadow_type=Gtk.ShadowType.IN, halign=Gtk.Align.CENTER)
        frame.add(events)
        self._wanted = Gtk.RadioButton.new_with_mnemonic_from_widget(None, "_Part of it")
        unwanted = Gtk.RadioButton.new_with_mnemonic_from_widget(self._wanted, "_Not part of it")
        unwanted.set_tooltip_text("Also: click with the right button")
        back = Gtk.Button(label="_Undo click", use_underline=True)
        back.connect("clicked", lambda _: self._remove(1))
        clear = Gtk.Button(label="Cl_ear", use_underline=True)
        clear.connect("clicked", lambda _: self._remove(len(self._points)))
        self._status = label("", dim=True, wrap=True)
        self._status.set_max_width_chars(56)
        clicks = Gtk.Box(spacing=SPACE)
        for widget in (label("Clicks are"), self._wanted, unwanted):
            clicks.pack_start(widget, False, False, 0)
        for widget in (clear, back):
            clicks.pack_end(widget, False, False, 0)
        box = column(frame, clicks, self._status, self._options(), spacing=SPACE * 2, border=SPACE * 2)
        self._dialog.get_content_area().pack_start(box, True, True, 0)
        box.show_all()
        self._follow_result()
        self._config.connect("notify::method", lambda *_: self._changed())
        self._config.connect("notify::edge", lambda *_: self._changed())
        self._config.connect("notify::result", lambda *_: self._follow_result())

    def _options(self) -> Any:
        results = self._combo("result", {names.SELECTION: "A selection", names.CHANNEL: "A saved channel"})
        joins = {
            names.REPLACE: "in place of the present one",
            names.ADD: "added to the present one",
            names.SUBTRACT: "taken from the present one",
            names.INTERSECT: "where the present one is, too",
        }
        self._join = self._combo("operation", joins)
        self._name = Gtk.Entry(hexpand=True)
        kit.bind(self._config, "channel-name", self._name, "text")
        methods = {"": "The best there is"}
        for method in arguments.selectors(registered.latest()):
            methods[method["name"]] = str(method.get("label") or method["name"])
        edge = Gtk.SpinButton(
            adjustment=Gtk.Adjustment(lower=0, upper=100, step_increment=1, page_increment=10),
            digits=1,
            tooltip_text="Half the width in pixels of the band in which the edge is soft",
        )
        kit.bind(self._config, "edge", edge.get_adjustment(), "value")
        return column(
            row(label("Becomes"), results, self._join, self._name, spacing=SPACE),
            row(label("Method"), self._combo("method", methods), label("Soft edge"), edge, spacing=SPACE),
        )

    def _combo(self, argument: str, entries: dict[str, str]) -> Any:
        combo = Gtk.ComboBoxText()
        for id, title in entries.items():
            combo.append(id, title)
        kit.bind(self._config, argument, combo, "active-id")
        return combo

    # -- what happens ----------------------------------------------------------------------------------

    def _follow_result(self) -> None:
        saved = self._config.get_property("result") == names.CHANNEL
        self._join.set_visible(not saved)
        self._name.set_visible(saved)

    def _clicked(self, _: Any, event: Any) -> bool:
        if event.type == Gdk.EventType.BUTTON_PRESS and event.button in (1, 3):
            rect, scale = self._small.rect, self._small.scale
            positive = event.button == 1 and self._wanted.get_active()
            point = Point((event.x + 0.5 + rect.x) / scale, (event.y + 0.5 + rect.y) / scale, positive)
            if self._inside(point):
                self._points.append(point)
                self._changed()
        return True

    def _remove(self, count: int) -> None:
        if self._points and count:
            del self._points[-count:]
            self._changed()

    def _inside(self, point: Point) -> bool:
        layer = self._document.layer_bounds()
        return layer.x <= point.x < layer.right and layer.y <= point.y < layer.bottom

    def _changed(self) -> None:
        """Ask for the mask of the points that there are now."""
        self._draw()
        if not any(point.positive for point in self._points):
            self._mask = None
            self._picker.ask(None)
            self._draw()
            self._status.set_text(
                "Click on what you want to select; with the right button on what does not belong to it."
            )
            return
        scale = self._small.scale
        try:
            question = SegmentRequest(
                self._pixels,
                "points",
                points=tuple(Point(*self._place(p), p.positive) for p in self._points),
                method=self._config.get_property("method") or "auto",
                edge=self._config.get_property("edge") * scale,
                count=1,
            )
        except ScumbleError as error:
            self._picker.ask(None)
            self._status.set_text(f"{error.message} {error.hint}")
            return
        self._status.set_text("Looking…")
        self._picker.ask(question)

    def _place(self, point: Point) -> tuple[float, float]:
        """Where a point lies on the reduced copy."""
        rect, scale = self._small.rect, self._small.scale
        x, y = point.x * scale - rect.x, point.y * scale - rect.y
        return min(max(x, 0.0), rect.width - 1.0), min(max(y, 0.0), rect.height - 1.0)

    def _found(self, _: SegmentRequest, what: SegmentResult | str) -> None:
        if isinstance(what, str):
            self._mask = None
            self._status.set_text(what)
        else:
            self._mask = what.masks[0]
            count = len(self._points)
            self._status.set_text(f"{count} click{'s' if count > 1 else ''}; click again to make it better.")
        self._draw()

    def _draw(self) -> None:
        picture = self._plain.copy()
        width, height = picture.get_width(), picture.get_height()
        if self._mask is not None:
            over = rgba(veil(self._mask, width, height), width, height)
            over.composite(picture, 0, 0, width, height, 0, 0, 1, 1, GdkPixbuf.InterpType.NEAREST, 255)
        for point in self._points:
            _stamp(picture, point.positive, *self._place(point))
        self._picture.set_from_pixbuf(picture)


def veil(found: FoundMask, width: int, height: int) -> bytes:
    """What lies over the picture, as RGBA: a tint where the mask is, darkness elsewhere."""
    mask = found.mask
    data = bytes(mask.data)
    step = 1 if mask.dtype == "u8" else 2
    whole = bytearray(width * height)
    for y in range(mask.height):
        # Of 16 bits the high byte, which comes second.
        line = data[y * mask.width * step : (y + 1) * mask.width * step][step - 1 :: step]
        area = Rect(mask.x, mask.y + y, mask.width, 1).intersect(Rect(0, 0, width, height))
        if not area.empty:
            at = area.y * width + area.x
            whole[at : at + area.width] = line[area.x - mask.x : area.right - mask.x]
    over = bytearray(width * height * 4)
    for channel in range(4):
        dark, tint = _DARK[channel], _TINT[channel]
        over[channel::4] = whole.translate(bytes((dark * (255 - v) + tint * v) // 255 for v in range(256)))
    return bytes(over)


def _stamp(picture: Any, positive: bool, x: float, y: float) -> None:
    """Draw a click: a disc with a plus or a minus."""
    side = 2 * _RADIUS + 1
    data = bytearray()
    for v in range(-_RADIUS, _RADIUS + 1):
        for u in range(-_RADIUS, _RADIUS + 1):
            distance = u * u + v * v
            sign = (abs(v) <= 0 or (positive and abs(u) <= 0)) and max(abs(u), abs(v)) <= _RADIUS - 3
            if distance > _RADIUS * _RADIUS:
                data += b"\0\0\0\0"
            elif sign or distance > (_RADIUS - 1) ** 2:
                data += b"\xff\xff\xff\xff"
            else:
                data += b"\x1e\x9e\x3c\xff" if positive else b"\xd0\x2c\x2c\xff"
    left, top = round(x) - _RADIUS, round(y) - _RADIUS
    place = Rect(left, top, side, side).intersect(Rect(0, 0, picture.get_width(), picture.get_height()))
    if not place.empty:
        stamp = rgba(bytes(data), side, side)
        stamp.composite(
            picture,
            *(place.x, place.y, place.width, place.height),
            *(left, top, 1, 1),
            GdkPixbuf.InterpType.NEAREST,
            255,
        )
