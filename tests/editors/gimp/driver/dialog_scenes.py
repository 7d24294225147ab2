"""What the user sees of the dialogs, as sentences; each is a test."""

import json

from hands import (
    SHAPES,
    click,
    finish,
    interactive,
    mean_colour,
    photo,
    picture_of,
    press,
    settle,
    still,
    until,
    window,
    windows,
    x,
)
from tools import CANCEL, REPLACE, STYLE, SUCCESS, Gimp, _images, read, scenario, stylize


@scenario
def stylize_selection_shows_a_preview_and_paints_on_ok():
    picture, source = photo()
    picture.select_ellipse(REPLACE, 60, 120, 420, 270)
    Gimp.Selection.feather(picture, 10)
    found = []

    def user():
        dialog = window("Scumble: stylize")
        still(dialog)
        picture_of(dialog, "stylize")
        # What is selected in the middle of the preview is painted; pressed, it shows the layer.
        place = (180, 150, 80, 80)
        painted = mean_colour(dialog, *place)
        x("mousemove", "--window", dialog, 220, 190)
        x("mousedown", 1)
        settle(1)
        plain = mean_colour(dialog, *place)
        x("mouseup", 1)
        found.append([painted, plain])
        finish(dialog, "alt+y")

    values = interactive("stylize", picture, source, user, style=STYLE)
    assert values.index(0) == SUCCESS, values.index(0)
    assert len(picture.get_layers()) == 2
    painted, plain = found[0]
    assert max(abs(a - b) for a, b in zip(painted, plain, strict=True)) > 8, found


@scenario
def undo_and_redo_take_the_new_layer_away_and_bring_it_back_in_one_step():
    picture, source = photo(160, 120)
    picture.clean_all()
    view = Gimp.Display.new(picture)
    picture.select_rectangle(REPLACE, 20, 20, 60, 60)
    Gimp.displays_flush()
    done = stylize(source)
    name = done.layer.get_name()
    assert [each.get_name() for each in picture.get_layers()] == [name, "landscape"]
    main = window(".*GNU Image Manipulation Program|.*GIMP")
    still(main)

    def after(keys, wanted):
        press(main, keys)
        until(lambda: [each.get_name() for each in picture.get_layers()] == wanted, 20)
        settle(1)  # nothing more comes of it
        layers = [each.get_name() for each in picture.get_layers()]
        assert layers == wanted, layers
        assert list(Gimp.Selection.bounds(picture)[1:]) == [True, 20, 20, 80, 80]

    after("ctrl+z", ["landscape"])
    after("ctrl+y", [name, "landscape"])
    after("ctrl+z", ["landscape"])

    _images.remove(picture)
    view.delete()


@scenario
def stylize_regions_has_a_line_for_each_mask():
    picture, _source = photo()
    group = Gimp.GroupLayer.new(picture, "masks")
    picture.insert_layer(group, None, 0)
    for name in ("sky", "mountains", "hills", "house"):
        mask = Gimp.Layer.new(picture, name, 560, 420, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL)
        mask.fill(Gimp.FillType.TRANSPARENT)
        picture.insert_layer(mask, group, 0)
        SHAPES[name](picture)
        mask.edit_fill(Gimp.FillType.WHITE)
    Gimp.Selection.none(picture)
    styles = {
        "sky": "night-swirls",
        "mountains": "palette-knife-lake",
        "hills": "pointillist-meadow",
        "house": "line-and-wash",
    }
    regions = json.dumps([{"mask": name, "style": style} for name, style in styles.items()])

    def user():
        dialog = window("Scumble: stylize regions")
        still(dialog)
        picture_of(dialog, "regions")
        finish(dialog, "alt+y")

    values = interactive("stylize-regions", picture, group, user, regions=regions)
    assert values.index(0) == SUCCESS, values.index(0)
    assert next(each.get_name() for each in picture.get_layers()) == "masks"
    assert len(picture.get_layers()) == 3


@scenario
def the_backend_dialog_tells_how_it_is():
    def user():
        dialog = window("Scumble: backend")
        still(dialog)
        picture_of(dialog, "backend")
        for page in ("models", "log", "elsewhere"):
            press(dialog, "ctrl+Page_Down")
            still(dialog, 1)
            if page != "log":
                picture_of(dialog, f"backend-{page}")
        finish(dialog, "Escape")

    values = interactive("backend", None, None, user)
    assert values.index(0) == SUCCESS, values.index(0)


@scenario
def select_subject_asks_for_the_method_and_selects():
    if not Gimp.get_pdb().procedure_exists("plug-in-scumble-select-subject"):
        return
    picture, source = photo()
    picture.select_rectangle(REPLACE, 200, 140, 170, 175)

    def user():
        dialog = window("Scumble: select subject")
        still(dialog)
        picture_of(dialog, "subject")
        finish(dialog, "alt+o")

    values = interactive("select-subject", picture, source, user)
    assert values.index(0) == SUCCESS, values.index(0)
    assert Gimp.Selection.bounds(picture)[1]


@scenario
def select_by_points_shows_the_mask_of_the_clicks_and_selects_it():
    picture, source = photo()

    def user():
        dialog = window("Scumble: select by points")
        still(dialog)
        # The picture is 480 x 360 of 560 x 420, in the middle below the dialog's edge.
        click(dialog, 244, 215, button=1, middle=480)
        click(dialog, 440, 320, button=3, middle=480)
        still(dialog)
        picture_of(dialog, "points")
        finish(dialog, "alt+t")

    values = interactive("select-points", picture, source, user)
    assert values.index(0) == SUCCESS, values.index(0)
    selection = picture.get_selection()
    found = Gimp.Selection.bounds(picture)
    assert found[1], "something is selected"
    assert read(selection, "Y u8", 285, 270, 1, 1)[0] > 127, "what the first click lay on"
    assert read(selection, "Y u8", 513, 373, 1, 1)[0] < 128, "what the second one lay on"


@scenario
def cancel_in_a_dialog_changes_nothing():
    picture, source = photo(240, 180)

    def user():
        finish(window("Scumble: stylize"), "Escape")

    values = interactive("stylize", picture, source, user, style=STYLE)
    assert values.index(0) == CANCEL
    assert len(picture.get_layers()) == 1


@scenario
def escape_empties_the_search_and_then_cancels():
    """A search field keeps Escape for itself, wherever else in the dialog it cancels."""
    picture, source = photo(240, 180)
    still_there = []

    def user():
        dialog = window("Scumble: stylize")
        still(dialog)
        click(dialog, 650, 75)
        x("type", "ink")
        still(dialog, 1, 8)
        x("key", "Escape")
        settle(1)
        still_there.append("Scumble: stylize selection" in windows())
        click(dialog, 650, 75)
        finish(dialog, "Escape")

    values = interactive("stylize", picture, source, user, style=STYLE)
    assert values.index(0) == CANCEL and still_there == [True], (values.index(0), still_there)
    assert len(picture.get_layers()) == 1
