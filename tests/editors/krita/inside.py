"""Inside Krita: what the scripts share.  Krita's own Python, the standard library, and no numpy."""

import hashlib
import os
import time

import scumble_krita
from krita import Krita, Selection
from PyQt5 import QtWidgets
from PyQt5.QtCore import QByteArray

OUT = os.path.dirname(os.environ["SCUMBLE_DRIVER_REPORT"])
APPLICATION = Krita.instance()
CONTROLLER = scumble_krita.controller
SRGB = "sRGB-elle-V2-srgbtrc.icc"
#: For how many turns of the event loop nothing may happen for it to be over.
TURNS = 4
#: How many turns, and presses of a key, it may take; not seconds, in which a busy machine may stand still.
PATIENCE, PRESSES = 1000, 20
#: The gallery's, once the backend has answered.
STYLES = []


def picture(width, height, channels=4, sample="B", scale=255):
    """Bytes of a picture with something in it: waves, a chequerboard, an edge; opaque."""
    import array

    row_count = 64
    rows = []
    for y in range(row_count):
        row = []
        for x in range(width):
            a = (x * 255 // max(1, width - 1) + y * 2) % 256
            b = 255 if (x // 16 + y // 16) % 2 else 40
            c = (x * 7 + y * 13) % 256
            values = [a, b, c, (a + b) // 2][: channels - 1]
            row += [v * scale / 255 if sample == "f" else v * scale // 255 for v in values]
            row.append(1.0 if sample == "f" else scale)
        rows.append(array.array(sample, row).tobytes())
    data = bytearray()
    for y in range(height):
        data += rows[y % row_count]
    return bytes(data)


def half(data):
    """32-bit floats as 16-bit ones."""
    import array
    import struct

    values = array.array("f")
    values.frombytes(data)
    return struct.pack(f"<{len(values)}e", *values)


def new_document(width, height, model="RGBA", depth="U8", profile=SRGB, name="test"):
    """A new document of one layer, in a view and the active one."""
    document = APPLICATION.createDocument(width, height, name, model, depth, profile, 100.0)
    yield from in_view(document)
    return document


def in_view(document):
    """Show a document, until it is the active one."""
    document.setBatchmode(True)
    APPLICATION.activeWindow().addView(document)

    def active():
        """The document's view"""
        return APPLICATION.activeDocument() == document and document.activeNode() is not None

    yield active
    yield from rest(document)


def fill(document, node, rect=None):
    """Paint something on a layer."""
    x, y, width, height = rect or (0, 0, document.width(), document.height())
    channels = {"RGBA": 4, "GRAYA": 2, "CMYKA": 5, "LABA": 4}[node.colorModel()]
    kinds = {"U8": ("B", 255), "U16": ("H", 65535), "F16": ("f", 1.0), "F32": ("f", 1.0)}
    sample, scale = kinds[node.colorDepth()]
    data = picture(width, height, channels, sample, scale)
    if node.colorDepth() == "F16":
        data = half(data)
    node.setPixelData(QByteArray(data), x, y, width, height)
    document.refreshProjection()


def select(document, x, y, width, height, value=255):
    """Select a rectangle."""
    selection = Selection()
    selection.select(x, y, width, height, value)
    document.setSelection(selection)


def select_soft(document, x, y, width, height):
    """Select a rectangle whose rows fade from nothing to all."""
    selection = Selection()
    row = bytes(min(255, i * 256 // width) for i in range(width))
    selection.setPixelData(QByteArray(row * height), x, y, width, height)
    document.setSelection(selection)


def tree(document):
    """Names and kinds of all nodes, from below."""

    def below(node):
        return [[child.name(), child.type(), below(child)] for child in node.childNodes()]

    return below(document.rootNode())


def names(document):
    """Names of the topmost nodes, without the selection."""
    return [n.name() for n in document.rootNode().childNodes() if n.type() != "selectionmask"]


def digest(data):
    """A short sum."""
    return hashlib.sha1(bytes(data)).hexdigest()


def dump(name, node, projection=False):
    """Write a node's pixels to a file; where and what."""
    b = node.bounds()
    rect = [b.x(), b.y(), b.width(), b.height()]
    data = node.projectionPixelData(*rect) if projection else node.pixelData(*rect)
    with open(os.path.join(OUT, name), "wb") as stream:
        stream.write(bytes(data))
    return {
        "file": name,
        "rect": rect,
        "model": node.colorModel(),
        "depth": node.colorDepth(),
        "profile": node.colorProfile(),
        "name": node.name(),
        "kind": node.type(),
    }


def dump_picture(name, document):
    """Write the whole picture's pixels to a file."""
    document.waitForDone()
    with open(os.path.join(OUT, name), "wb") as stream:
        stream.write(bytes(document.pixelData(0, 0, document.width(), document.height())))
    root = document.rootNode()
    return {
        "file": name,
        "rect": [0, 0, document.width(), document.height()],
        "model": root.colorModel(),
        "depth": root.colorDepth(),
    }


def undo_text():
    return APPLICATION.action("edit_undo").text()


def history():
    """What can be undone, the first step first, as Krita's own list of it has them."""
    window = APPLICATION.activeWindow()
    for view in window.qwindow().findChildren(QtWidgets.QListView) if window is not None else ():
        if view.metaObject().className() == "KisUndoView":
            model = view.model()
            return [str(model.index(i, 0).data()) for i in range(1, view.currentIndex().row() + 1)]
    raise RuntimeError("this Krita has no list of what can be undone")


def rest(document):
    """Until Krita has come to rest: nothing is composed, and for some turns of its event loop nothing
    else has become of layers, selection and steps to undo.  However busy the machine is."""
    seen, same = None, 0
    for _ in range(PATIENCE):
        document.waitForDone()
        node, selection = document.activeNode(), document.selection()
        rect = selection and [selection.x(), selection.y(), selection.width(), selection.height()]
        now = [tree(document), node and node.uniqueId().toString(), rect, history(), undo_text()]
        same, seen = (same + 1 if now == seen else 0), now
        if same == TURNS:
            return
        yield 40
    raise TimeoutError("Krita did not come to rest")


def undo(document):
    """Undo once."""
    yield from _press(document, "edit_undo")


def redo(document):
    """Redo once."""
    yield from _press(document, "edit_redo")


def _press(document, name):
    """Press until it was heard, as a user would: Krita drops what comes while it composes."""
    yield from rest(document)
    before = history()
    for _ in range(PRESSES):
        APPLICATION.action(name).trigger()
        yield from rest(document)
        if history() != before:
            return
    raise TimeoutError(f"Krita did not hear {name}")


def activate(document, node):
    """Make a layer the active one; Krita makes new ones so a moment after they were added."""
    yield from rest(document)
    document.setActiveNode(node)
    yield from rest(document)


def idle():
    """Nothing is painted any more"""
    return not CONTROLLER.state.running


def ready():
    """The backend has answered"""
    return bool(CONTROLLER.state.engines)


def failure():
    """What the controller shows as failure."""
    found = CONTROLLER.state.failure
    return None if found is None else [found.code.value, found.sentence, found.hint]


def shut(document):
    """Close at once."""
    document.setModified(False)
    document.close()


def close(document):
    """Close a document that is at rest, until it is gone."""
    yield from rest(document)
    shut(document)

    def gone():
        """The end of a document"""
        return document not in APPLICATION.documents() and APPLICATION.activeDocument() != document

    yield gone


def fresh_choices(*styles):
    """The docker as if just opened."""
    CONTROLLER.dismiss_failure()
    CONTROLLER.dismiss_notices()
    CONTROLLER.clear_regions()
    CONTROLLER.set_preview(False)
    CONTROLLER.set_all_frames(False)
    CONTROLLER.set_strength(1.0)
    CONTROLLER.reset_options()
    for style in styles:
        CONTROLLER.set_style(style)


def paint(found):
    """Click, and wait for the end; the steps to undo that it made."""
    document = APPLICATION.activeDocument()
    if document is not None:
        yield from rest(document)
    before = history() if document is not None else []
    began = time.monotonic()
    CONTROLLER.stylize()
    found["called_s"] = time.monotonic() - began
    yield idle
    if document is not None:
        yield from rest(document)
        after = history()
        found["steps"] = after[len(before) :] if after[: len(before)] == before else ["other", *after]
    found["failure"] = failure()
    found["notices"] = list(CONTROLLER.state.notices)
