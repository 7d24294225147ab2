"""Pick a region: click on the layer at what is meant, and have the mask made."""

from __future__ import annotations

from typing import Any

from scumble.plugin.common.clicks import Clicks, Step
from scumble.shared.messages import MaskBuffer
from scumble.shared.segmenting import SegmentResult

from ..interface import ControllerPort, Part
from ..picking import Combine, DocumentMask, Picture
from ..qt import Qt
from ..tint import region_colour
from . import theme
from .basics import Elided, column, row, tool
from .pick_canvas import PickCanvas
from .pick_controls import AUTO, MethodBox, Takes
from .pick_found import Candidates, Everything
from .valuebar import ValueBar
from .window import MaskWindow

#: Settings of the docker's own: the chosen method, and half the soft edge's width in document pixels.
METHOD, EDGE = "pick_method", "pick_edge"
EDGE_DEFAULT, EDGE_MOST = 4.0, 60.0
#: Masks at most in the list of all regions, and candidates of an answer.
_ALL, _CANDIDATES = 24, 3
#: How long a hand has to rest on the soft edge before it is asked again, and between two looks at a wait.
_REST_MS, _LOOK_MS = 250, 300
_KEY = Qt.Key
_HELP = "Click: this. Right click: not this. Drag: a box around it. Wheel: closer."


class PickDialog(MaskWindow):
    """See the module.  Nothing waits: an answer that comes too late is dropped, and the latest wins."""

    KEYS = (
        _KEY.Key_Backspace, _KEY.Key_Delete, _KEY.Key_Z, _KEY.Key_0, _KEY.Key_PageDown, _KEY.Key_PageUp,
        _KEY.Key_Left, _KEY.Key_Right, _KEY.Key_Up, _KEY.Key_Down, _KEY.Key_Plus, _KEY.Key_Minus,
        _KEY.Key_Return, _KEY.Key_Enter,
    )  # fmt: skip

    def __init__(self, port: ControllerPort, parent: Any = None) -> None:
        self.canvas = PickCanvas()
        super().__init__(port, self.canvas, parent)
        self.clicks = Clicks()
        self._picture: Picture | None = None
        self._listing = False
        self.setWindowTitle("Scumble: pick a region")
        self.candidates = Candidates()
        self.everything = Everything()
        self._build()
        self._rest = self.timer(_REST_MS, self._ask_again, once=True)
        self._watch = self.timer(_LOOK_MS, self._tell_waiting)
        self._stop = port.listen(self._heard)
        self.look()

    def _build(self) -> None:
        unit = theme.unit(self)
        self.subject = tool("subject", "Find the picture's subject", self._ask_subject, text="Subject")
        self.all = tool(
            "regions", "Find all regions of the picture, as a list", self._ask_all, text="All regions"
        )
        self.reload = tool("reset", "Look at the layer again", self.look)
        self.method = MethodBox()
        self.method.changed.connect(self._choose_method)
        self.back = tool("undo", "Take the last click back (Backspace)", self._undo)
        self.clear = tool("remove", "Start again", self._clear)
        self.whole = tool("fit", "Show the whole picture (0)", self.canvas.fit)
        self.edge = ValueBar("Soft edge", 0, EDGE_MOST, 1, unit="px")
        self.edge.setToolTip("How far to each side the edge may be soft, in pixels of the picture; 0: hard.")
        self.edge.set(_number(self._port.get_setting(EDGE, EDGE_DEFAULT), EDGE_DEFAULT))
        self.edge.changed.connect(self._set_edge)
        self.edge.reset_asked.connect(lambda: self._set_edge(EDGE_DEFAULT))
        self.status = Elided(_HELP, dim=True)
        self.takes = Takes()
        self.takes.made.connect(self._make)
        self.takes.added.connect(self._add)
        self.takes.closed.connect(self.close)
        layout = column(self, margin=unit * 2, spacing=unit + 2)
        top = row(self.subject, self.all, None, spacing=unit)
        top.addWidget(self.method)
        top.addWidget(self.reload)
        layout.addLayout(top)
        middle = row(spacing=unit * 2)
        middle.addWidget(self.canvas, 1)
        # The list stays beside later clicks: the picture must not move under the pointer.
        aside = column(spacing=unit)
        aside.addWidget(self.everything, 3)
        aside.addWidget(self.candidates, 1)
        middle.addLayout(aside)
        layout.addLayout(middle, 1)
        beneath = row(self.back, self.clear, self.whole, spacing=0)
        beneath.addSpacing(unit * 2)
        beneath.addWidget(self.edge, 1)
        layout.addLayout(beneath)
        layout.addWidget(self.status)
        layout.addWidget(self.takes)
        self.everything.hide()
        self.canvas.clicked.connect(self._clicked)
        self.canvas.boxed.connect(lambda *box: self._say(self.clicks.draw_box(*box)))
        self.candidates.chosen.connect(self._flip)
        self.everything.looked_at.connect(lambda _at: self._look_at_list())
        self.everything.changed.connect(self._look_at_list)
        self.resize(unit * 170, unit * 150)

    # -- the layer --------------------------------------------------------------------------------------

    def look(self) -> None:
        """Look at the active layer (again)."""
        self._picking.cancel()
        self.clicks, self._picture, self._listing = Clicks(), None, False
        self.everything.set_masks((), 1)
        self.everything.hide()
        self.canvas.text = "Looking at the layer…"
        self.canvas.set_picture(None)
        self._show_methods()
        self.message.hide()
        self._picking.look(self._seen)
        self._show()

    def _seen(self, picture: Picture | None) -> None:
        if not self._open:
            return
        self._picture = picture
        if picture is None:
            self.canvas.text = "There is no picture to click on."
            self.fail()
        else:
            self.canvas.set_picture(picture.image)
            name = picture.target.name
            self.setWindowTitle(f"Scumble: pick a region of “{name}”" if name else "Scumble: pick a region")
            self.canvas.setFocus()
        self._show()

    def _heard(self, parts: frozenset[Part]) -> None:
        try:
            self.objectName()
        except RuntimeError:  # Qt's half of it has gone
            self._open = False
            self._stop()
            return
        if Part.CATALOGUE in parts:
            self._show_methods()
        if parts & {Part.DOCUMENT, Part.REGIONS}:
            self._show()

    # -- what is asked ------------------------------------------------------------------------------------

    def _clicked(self, x: float, y: float, positive: bool) -> None:
        step = self.clicks.click(x, y, positive)
        if step is None:
            self.tell("There are too many clicks.", "Take some back, or start again.")
        else:
            self._say(step)

    def _ask_subject(self) -> None:
        self._say(self.clicks.subject())

    def _ask_again(self) -> None:
        if not self.clicks.now.empty and self._picture is not None:
            self._say(self.clicks.again())

    def _say(self, step: Step) -> None:
        """Ask about a step; what was asked before does not matter any more."""
        if self._picture is None:
            return
        self._leave_list()
        self._rest.stop()
        self.message.hide()
        if step.empty:
            self._picking.cancel_question()
        else:

            def done(result: SegmentResult | None) -> None:
                if self._open and self.clicks.take(step.number, result.masks if result else ()):
                    self._answered(result)

            self._picking.find(
                self._picture,
                done,
                mode=step.mode,
                points=step.points,
                box=step.box,
                before=step.before,
                method=self.method.chosen,
                edge=self._edge(),
                count=_CANDIDATES,
            )
        self._show()

    def _answered(self, result: SegmentResult | None) -> None:
        if result is None:
            self.fail()
        self._show()

    def _ask_all(self) -> None:
        picture = self._picture
        if picture is None:
            return
        self._rest.stop()
        self.message.hide()
        self._listing = True
        self.everything.set_masks((), 1)

        def done(result: SegmentResult | None) -> None:
            if not self._open or not self._listing:
                return
            if result is None:
                self._listing = False
                self.fail()
            else:
                pixels = picture.pixels.width * picture.pixels.height
                self.everything.set_masks(result.masks, pixels)
                self.everything.list.setCurrentRow(0)
                self.everything.list.setFocus()
            self._show()

        self._picking.find(
            picture, done, mode="all", method=self.method.chosen, edge=self._edge(), count=_ALL
        )
        self._show()

    def _look_at_list(self) -> None:
        if self.everything.picked and not self._listing:
            self._listing = True
            self._picking.cancel_question()
        self._show()

    def _leave_list(self) -> None:
        self._listing = False
        self.everything.list.clearSelection()

    def _undo(self) -> None:
        if self.canvas.drop_drag() or not self.clicks.can_undo:
            return
        again = self.clicks.undo()
        self._leave_list()
        self.message.hide()
        if again:
            self._say(self.clicks.now)
        else:
            self._picking.cancel_question()
            self._show()

    def _clear(self) -> None:
        self.clicks.clear()
        self._leave_list()
        self._picking.cancel_question()
        self.message.hide()
        self._show()

    def _flip(self, index: int) -> None:
        self.clicks.show(index)
        self._show()

    # -- method and edge ----------------------------------------------------------------------------------

    def _show_methods(self) -> None:
        self.method.show_methods(self._picking.methods, self._port.get_setting(METHOD, AUTO))

    def _choose_method(self, name: str) -> None:
        self._port.set_setting(METHOD, name)
        self._ask_again()

    def _edge(self) -> float:
        scale = self._picture.scale if self._picture is not None else 1.0
        return min(100.0, float(self.edge.number) / max(scale, 1e-6))

    def _set_edge(self, pixels: float) -> None:
        self.edge.set(pixels)
        self._port.set_setting(EDGE, float(pixels))
        self._rest.start()

    # -- what becomes of it -------------------------------------------------------------------------------

    def _chosen(self) -> list[MaskBuffer]:
        """What would be taken now."""
        if self._listing:
            return [found.mask for _, found in self.everything.picked]
        found = self.clicks.now.mask
        return [] if found is None or self.clicks.waiting else [found.mask]

    def _make(self, how: Combine) -> None:
        picture, chosen = self._picture, self._chosen()
        if picture is None or not chosen:
            return

        def put(at: int, mask: DocumentMask) -> bool:
            # Of several the first one replaces, and the others are added to it.
            each = how if at == 0 or how is Combine.SUBTRACT else Combine.ADD
            return self._picking.select(mask, each)

        def done() -> None:
            said = {Combine.REPLACE: "is the selection", Combine.ADD: "was added to the selection"}
            self.status.setText(f"The mask {said.get(how, 'was taken from the selection')}.")

        self.put_each(picture, chosen, put, done)

    def _add(self) -> None:
        picture, chosen = self._picture, self._chosen()
        if picture is None or not chosen:
            return

        def put(_at: int, mask: DocumentMask) -> bool:
            return bool(self._picking.add_region(mask))

        def done() -> None:
            if not self._listing:
                self.clicks = Clicks()  # the next one
            self._show()
            many = f"{len(chosen)} regions were" if len(chosen) > 1 else "The region was"
            self.status.setText(f"{many} added. Click on the next one, or close.")

        self.put_each(picture, chosen, put, done)

    # -- what is shown ------------------------------------------------------------------------------------

    def _show(self) -> None:
        picture, now = self._picture, self.clicks.now
        there, waiting = picture is not None, self._picking.busy
        colour = region_colour(len(self._port.state.regions))
        if picture is not None:
            if self._listing:
                at = self.everything.list.currentRow()
                found = self.everything.masks[at] if 0 <= at < len(self.everything.masks) else None
                self.canvas.set_marks((), None)
            else:
                found = now.mask
                self.canvas.set_marks(now.points, now.box)
            # Faint: there is a newer question, or the last one found nothing.
            faint = waiting or (not self._listing and not now.answer)
            self.canvas.set_mask(None if found is None else found.mask, colour, faint=faint)
            answer = () if self._listing else now.answer or ()
            self.candidates.show_masks(picture.image, answer, now.shown, colour)
        listed = bool(self.everything.masks) or (self._listing and waiting)
        self.everything.setVisible(listed)
        self.candidates.setVisible(not listed or bool(self.candidates.buttons))
        self.everything.setEnabled(not (self._listing and waiting))
        for button in (self.subject, self.all, self.method, self.edge, self.whole):
            button.setEnabled(there)
        self.back.setEnabled(there and self.clicks.can_undo)
        self.clear.setEnabled(there and not now.empty)
        ready = there and bool(self._chosen()) and not waiting
        self.takes.allow(ready, self._listing and len(self.everything.picked) > 1)
        if waiting and not self._watch.isActive():
            self._watch.start()
        elif not waiting:
            self._watch.stop()
        self._tell_waiting()

    def _tell_waiting(self) -> None:
        if self._picking.busy:
            doing = "Looking for regions…" if self._listing else "Looking…"
            self.status.setText(self._picking.status or doing)
        elif self._picture is not None:
            document = self._port.state.document
            now = document.layer if document is not None else ""
            other = now and self._picture.target.name and now != self._picture.target.name
            self.status.setText(f"“{now}” is the active layer now: look again for it." if other else _HELP)

    # -- Qt's ---------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: Any) -> None:
        key = event.key()
        undo = key == _KEY.Key_Z and event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if key in (_KEY.Key_Backspace, _KEY.Key_Delete) or undo:
            self._undo()
        elif key in (_KEY.Key_PageDown, _KEY.Key_PageUp):
            self._flip(self.clicks.now.shown + (1 if key == _KEY.Key_PageDown else -1))
        elif key == _KEY.Key_0:
            self.canvas.fit()
        elif key == _KEY.Key_Escape and self.canvas.drop_drag():
            pass
        elif key in (_KEY.Key_Return, _KEY.Key_Enter):
            event.accept()  # not the first button that Qt finds
        else:
            super().keyPressEvent(event)

    def ended(self) -> None:
        self._stop()


def _number(value: Any, default: float) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= EDGE_MOST
    return float(value) if good else default
