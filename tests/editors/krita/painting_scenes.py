"""Painting: regions and styles, undo, kinds of pixels, settings that travel with the layer."""

import os

from inside import (
    APPLICATION,
    CONTROLLER,
    OUT,
    SRGB,
    STYLES,
    activate,
    close,
    dump,
    dump_picture,
    failure,
    fill,
    fresh_choices,
    history,
    idle,
    in_view,
    names,
    new_document,
    paint,
    redo,
    rest,
    select,
    select_soft,
    tree,
    undo,
    undo_text,
)

from scumble.plugin.krita.interface import Output


def regions_with_two_styles(found):
    document = yield from new_document(320, 256)
    source = document.activeNode()
    fill(document, source)
    document.waitForDone()
    fresh_choices()
    select_soft(document, 20, 30, 100, 80)
    CONTROLLER.set_style(STYLES[0])
    found["first"] = CONTROLLER.add_region()
    select(document, 180, 90, 90, 100)
    CONTROLLER.pick_region("")
    CONTROLLER.set_style(STYLES[1])
    found["second"] = CONTROLLER.add_region()
    CONTROLLER.set_strength(0.5)
    found["regions"] = [[r.label, r.style.id, r.strength, r.mask.kind] for r in CONTROLLER.state.regions]
    found["source_before"] = dump("two.source.before", source)
    found["picture_before"] = dump_picture("two.picture.before", document)
    found["undo_before"] = undo_text()
    yield from paint(found)
    found["names"] = names(document)
    found["undo_after"] = undo_text()
    found["active"] = document.activeNode().name()
    selection = document.selection()
    found["selection"] = [selection.x(), selection.y(), selection.width(), selection.height()]
    result = source.parentNode().childNodes()[1]
    found["result"] = dump("two.result", result)
    found["source_after"] = dump("two.source.after", source)
    found["picture_after"] = dump_picture("two.picture.after", document)
    found["annotations"] = [str(a) for a in document.annotationTypes()]
    found["history"] = [[h.name, h.placed, h.visible] for h in CONTROLLER.state.history][:1]
    found["timing"] = [CONTROLLER.timing.read, CONTROLLER.timing.job, CONTROLLER.timing.write]
    yield from undo(document)
    found["names_undone"] = names(document)
    found["undo_undone"] = undo_text()
    found["picture_undone"] = dump_picture("two.picture.undone", document)
    yield from redo(document)
    found["names_redone"] = names(document)
    found["picture_redone"] = dump_picture("two.picture.redone", document)
    # Before and after, then the same once more with the settings that are kept in the layer.
    CONTROLLER.see()
    CONTROLLER.toggle_compare()
    document.waitForDone()
    found["compare"] = CONTROLLER.state.compare
    found["picture_hidden"] = dump_picture("two.picture.hidden", document)
    CONTROLLER.toggle_compare()
    fresh_choices()
    document.setSelection(None)
    yield from activate(document, source.parentNode().childNodes()[1])
    CONTROLLER.see()
    found["rerunnable"] = CONTROLLER.state.document.rerunnable
    CONTROLLER.rerun()
    yield idle
    yield from rest(document)
    found["rerun_failure"] = failure()
    found["names_rerun"] = names(document)
    found["rerun"] = dump("two.rerun", source.parentNode().childNodes()[2])
    # From the history, and saved and opened again.
    yield from undo(document)
    count = len(names(document))
    CONTROLLER.apply(CONTROLLER.state.history[-1].id)

    def applied():
        """The result that is put back"""
        return len(names(document)) > count or failure()

    yield applied
    yield from rest(document)
    found["names_applied"] = names(document)
    file = os.path.join(OUT, "two.kra")
    document.saveAs(file)
    yield from rest(document)
    yield from close(document)
    document = APPLICATION.openDocument(file)
    yield from in_view(document)
    layer = [n for n in document.rootNode().childNodes() if n.type() == "paintlayer"][-1]
    yield from activate(document, layer)
    CONTROLLER.dismiss_failure()
    CONTROLLER.load_from_layer()
    found["loaded"] = [[r.label, r.style.id, r.strength, r.mask.kind] for r in CONTROLLER.state.regions]
    found["load_failure"] = failure()
    CONTROLLER.rerun()
    yield idle
    yield from rest(document)
    found["reopened_failure"] = failure()
    found["names_reopened"] = names(document)
    yield from close(document)


def a_group_of_layers(found):
    document = yield from new_document(256, 256)
    source = document.activeNode()
    fill(document, source)
    fresh_choices()
    CONTROLLER.set_style(STYLES[0])
    select(document, 10, 10, 80, 80)
    CONTROLLER.add_region()
    select(document, 120, 120, 80, 80)
    CONTROLLER.pick_region("")
    CONTROLLER.set_style(STYLES[1])
    CONTROLLER.add_region()
    CONTROLLER.set_output(Output.GROUP)
    yield from paint(found)
    CONTROLLER.set_output(Output.LAYER)
    found["tree"] = tree(document)
    found["undo"] = undo_text()
    group = source.parentNode().childNodes()[1]
    found["layers"] = [dump(f"group.{i}", n) for i, n in enumerate(group.childNodes())]
    yield from undo(document)
    found["names_undone"], found["left"] = names(document), history()
    yield from redo(document)
    found["tree_redone"] = tree(document)
    yield from close(document)


def the_list_of_regions(found):
    """Three regions: their pictures, the last one moved to the front, the middle one switched off."""
    document = yield from new_document(192, 192)
    source = document.activeNode()
    fill(document, source)
    fresh_choices(STYLES[0])
    ids = []
    for at in (10, 70, 130):
        select(document, at, at, 40, 40)
        CONTROLLER.pick_region("")
        ids.append(CONTROLLER.add_region())
    for place, id in enumerate(ids):
        CONTROLLER.region_thumbnail(id, 96, 96).save(os.path.join(OUT, f"thumbnail.{place}.png"))
    CONTROLLER.move_region(ids[2], 0)
    CONTROLLER.change_region(ids[1], enabled=False)
    found["moved"] = [[ids.index(r.id), r.enabled] for r in CONTROLLER.state.regions]
    CONTROLLER.set_output(Output.GROUP)
    yield from paint(found)
    CONTROLLER.set_output(Output.LAYER)
    group = source.parentNode().childNodes()[1]
    found["layers"] = [dump(f"list.{i}", n)["rect"] for i, n in enumerate(group.childNodes())]
    yield from close(document)


def _kind_of_document(found, model, depth, profile, name):
    document = yield from new_document(256, 192, model, depth, profile)
    source = document.activeNode()
    fill(document, source)
    fresh_choices(STYLES[0])
    select_soft(document, 40, 40, 128, 96)
    found["source_before"] = dump(f"{name}.before", source)
    CONTROLLER.see()
    found["colour"] = CONTROLLER.state.document.colour
    found["note"] = CONTROLLER.state.document.note
    yield from paint(found)
    found["names"] = names(document)
    found["undo"] = undo_text()
    result = source.parentNode().childNodes()[1]
    found["result"] = dump(f"{name}.result", result)
    found["source_after"] = dump(f"{name}.after", source)
    found["documents"] = len(APPLICATION.documents())
    yield from undo(document)
    found["names_undone"] = names(document)
    yield from close(document)


def sixteen_bit(found):
    yield from _kind_of_document(found, "RGBA", "U16", SRGB, "u16")


def half_float(found):
    yield from _kind_of_document(found, "RGBA", "F16", "", "f16")


def float_linear(found):
    yield from _kind_of_document(found, "RGBA", "F32", "", "f32")


def grey(found):
    yield from _kind_of_document(found, "GRAYA", "U8", "", "grey")


def cmyk(found):
    yield from _kind_of_document(found, "CMYKA", "U8", "", "cmyk")


def cmyk_sixteen_bit(found):
    yield from _kind_of_document(found, "CMYKA", "U16", "", "cmyk16")


def lab(found):
    yield from _kind_of_document(found, "LABA", "U16", "", "lab")
