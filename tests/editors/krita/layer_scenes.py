"""Layers and masks of all kinds, as sources, regions and styles."""

import os

from inside import (
    APPLICATION,
    CONTROLLER,
    OUT,
    STYLES,
    activate,
    close,
    digest,
    dump,
    fill,
    fresh_choices,
    names,
    new_document,
    paint,
    rest,
    select,
    undo,
)
from krita import Selection

from scumble.plugin.common.sources import (
    LAYER_ALPHA,
    SELECTION_MASK,
    TRANSPARENCY_MASK,
    FileStyle,
    LayerStyle,
)


def an_offset_layer(found):
    document = yield from new_document(256, 256)
    source = document.activeNode()
    fill(document, source)
    document.waitForDone()
    layer = document.createNode("offset", "paintlayer")
    source.parentNode().addChildNode(layer, source)
    yield from rest(document)
    fill(document, layer, (-30, 60, 160, 120))
    yield from activate(document, layer)
    fresh_choices(STYLES[0])
    select(document, -50, 100, 120, 300)
    yield from paint(found)
    found["names"] = names(document)
    found["result"] = dump("offset.result", source.parentNode().childNodes()[2])
    document.setSelection(None)
    yield from paint(found)
    found["whole"] = dump("offset.whole", source.parentNode().childNodes()[3])
    yield from close(document)


def hidden_and_locked_layers(found):
    document = yield from new_document(192, 192)
    source = document.activeNode()
    fill(document, source)
    fresh_choices(STYLES[0])
    source.setVisible(False)
    yield from paint(found)
    found["hidden"] = {"names": names(document), "visible": source.visible(), "notices": found["notices"]}
    found["hidden_failure"] = found["failure"]
    yield from undo(document)
    source.setVisible(True)
    source.setLocked(True)
    before = digest(source.pixelData(0, 0, 192, 192))
    yield from paint(found)
    found["locked"] = {
        "names": names(document),
        "locked": source.locked(),
        "same": before == digest(source.pixelData(0, 0, 192, 192)),
    }
    yield from close(document)


def a_group_a_vector_layer_and_masks(found):
    document = yield from new_document(192, 192)
    source = document.activeNode()
    fill(document, source)
    root = document.rootNode()
    group = document.createGroupLayer("group")
    root.addChildNode(group, source)
    inner = document.createNode("inner", "paintlayer")
    group.addChildNode(inner, None)
    yield from rest(document)
    fill(document, inner, (20, 20, 120, 120))
    vector = document.createVectorLayer("vector")
    root.addChildNode(vector, group)
    yield from rest(document)
    vector.addShapesFromSvg(
        '<svg xmlns="http://www.w3.org/2000/svg" width="138" height="138" viewBox="0 0 138 138">'
        '<rect x="20" y="20" width="80" height="80" fill="#d04020"/></svg>'
    )

    def drawn():
        """The vector layer's shape"""
        return not vector.bounds().isEmpty()

    yield drawn
    yield from rest(document)
    document.refreshProjection()
    fresh_choices(STYLES[0])
    for node in (group, vector):
        yield from activate(document, node)
        CONTROLLER.dismiss_notices()
        CONTROLLER.see()
        found[f"{node.name()}_note"] = CONTROLLER.state.document.note
        yield from paint(found)
        found[node.name()] = {
            "failure": found["failure"],
            "notices": found["notices"],
            "names": names(document),
            "rect": dump(f"kinds.{node.name()}", root.childNodes()[names(document).index(node.name()) + 1]),
        }
        yield from undo(document)
    # A transparency mask as it is made in Krita, and the selection masks and alpha as regions.
    document.setActiveNode(source)
    select(document, 30, 40, 60, 50)
    yield from rest(document)
    APPLICATION.action("add_new_transparency_mask").trigger()

    def masked():
        """The new mask"""
        return document.activeNode().type() == "transparencymask"

    yield masked
    yield from rest(document)
    found["active_mask"] = document.activeNode().type()
    found["choices"] = [[c.source.kind, c.label, c.group, c.problem] for c in CONTROLLER.mask_choices()]
    mask = [c.source for c in CONTROLLER.mask_choices() if c.source.kind == TRANSPARENCY_MASK]
    CONTROLLER.see()
    found["mask_layer"] = CONTROLLER.state.document.layer
    fresh_choices(STYLES[0])
    CONTROLLER.add_region(mask[0])
    yield from paint(found)
    found["masked"] = {"failure": found["failure"], "notices": found["notices"], "names": names(document)}
    found["masked_result"] = dump("kinds.masked", root.childNodes()[1])
    yield from undo(document)
    source.childNodes()[0].remove()
    yield from rest(document)
    fresh_choices(STYLES[0])
    selection_mask = document.createSelectionMask("sky")
    chosen = Selection()
    chosen.select(10, 10, 50, 40, 255)
    selection_mask.setSelection(chosen)
    source.addChildNode(selection_mask, None)
    yield from activate(document, source)
    kinds = {c.source.kind: c.source for c in CONTROLLER.mask_choices() if c.label in ("sky", "inner")}
    CONTROLLER.add_region(kinds[SELECTION_MASK])
    CONTROLLER.add_region(kinds[LAYER_ALPHA])
    yield from paint(found)
    found["regions_failure"] = found["failure"]
    found["regions_result"] = dump("kinds.regions", root.childNodes()[1])
    thumbnail = CONTROLLER.region_thumbnail(CONTROLLER.state.regions[0].id, 64, 64)
    found["thumbnail"] = None if thumbnail is None else [thumbnail.width(), thumbnail.height()]
    yield from close(document)


def styles_from_a_layer_and_a_file(found):
    style = yield from new_document(128, 96, name="style")
    fill(style, style.activeNode())
    document = yield from new_document(192, 192)
    source = document.activeNode()
    fill(document, source)
    fresh_choices()
    choices = CONTROLLER.layer_choices()
    found["choices"] = [[c.label, c.document] for c in choices]
    other = next(c.style for c in choices if c.document == "style")
    found["is_layer"] = isinstance(other, LayerStyle)
    CONTROLLER.set_style(other)
    select(document, 20, 20, 96, 96)
    yield from paint(found)
    found["layer_failure"] = found["failure"]
    found["names"] = names(document)
    gone = os.path.join(OUT, "gone.png")
    CONTROLLER.set_style(FileStyle(gone))
    yield from paint(found)
    found["gone"] = found["failure"]
    style.setBatchmode(True)
    from krita import InfoObject

    style.exportImage(gone, InfoObject())
    yield from paint(found)
    found["file_failure"] = found["failure"]
    yield from close(style)
    CONTROLLER.set_style(other)
    yield from paint(found)
    found["closed_style"] = found["failure"]
    yield from close(document)
