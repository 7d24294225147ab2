"""What the user sees, as sentences; each is a test."""

import json
import os
import subprocess
import threading
import time

from tools import (
    CANCEL,
    INSIDE,
    REPLACE,
    STYLE,
    SUCCESS,
    Gegl,
    Gimp,
    _images,
    image,
    layer,
    read,
    scenario,
    stylize,
)

#: Of what lies at the top of a dialog.
TOP = 24
PICTURES = f"{INSIDE}/pictures"


def x(*words):
    done = subprocess.run(["xdotool", *map(str, words)], capture_output=True, text=True, timeout=20)
    return done.stdout.strip()


def window(title, patience=40):
    """The id of a window whose title begins like that, once it is there."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        found = x("search", "--onlyvisible", "--name", f"^{title}").split()
        if found:
            return found[-1]
        time.sleep(0.2)
    raise AssertionError(f"no window {title!r}; there are {windows()}")


def windows():
    return [x("getwindowname", each) for each in x("search", "--onlyvisible", "--name", ".").split()]


def press(window_id, key):
    """There is no window manager: the focus is ours to give."""
    x("windowfocus", "--sync", window_id)
    time.sleep(0.3)
    x("key", key)


def click(window_id, x_, y_, button=1, middle=0):
    """Press a mouse button in a window.

    :param middle: width of something in the middle of the window, in which x is meant.
    """
    width = int(x("getwindowgeometry", "--shell", window_id).split("WIDTH=")[1].split()[0])
    left = (width - middle) // 2 if middle else 0
    x("mousemove", "--window", window_id, left + x_, y_ + (TOP if middle else 0))
    time.sleep(0.2)
    x("click", button)
    time.sleep(0.3)


def picture_of(window_id, name):
    os.makedirs(PICTURES, exist_ok=True)
    x("windowraise", window_id)
    time.sleep(0.7)
    file = f"{PICTURES}/{name}.png"
    subprocess.run(["import", "-window", window_id, file], timeout=30, check=True)
    small = [
        "convert",
        file,
        "+dither",
        "-colors",
        "220",
        "-define",
        "png:compression-level=9",
        f"PNG8:{file}",
    ]
    subprocess.run(small, timeout=30, check=True)


def photo(width=560, height=420):
    """A picture with sky, hills and a house, so that something can be seen on it."""
    picture = image(width, height)
    source = layer(picture, 8, 8, alpha=False)
    picture.remove_layer(source)
    source = Gimp.Layer.new(
        picture, "landscape", width, height, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL
    )
    picture.insert_layer(source, None, 0)
    Gimp.context_set_antialias(True)

    def fill(colour, select):
        select()
        Gimp.context_set_foreground(Gegl.Color.new(colour))
        source.edit_fill(Gimp.FillType.FOREGROUND)

    fill("#8fc1e8", lambda: picture.select_rectangle(REPLACE, 0, 0, width, height))
    fill("#f6e7a8", lambda: picture.select_ellipse(REPLACE, 400, 40, 70, 70))
    fill(
        "#7b98a5",
        lambda: picture.select_polygon(
            REPLACE, [0, 240, 120, 130, 260, 230, 380, 120, 560, 250, 560, 420, 0, 420]
        ),
    )
    fill("#5e8d3f", lambda: picture.select_ellipse(REPLACE, -120, 230, 520, 360))
    fill("#84ab4a", lambda: picture.select_ellipse(REPLACE, 180, 270, 560, 330))
    fill("#c9b18b", lambda: picture.select_rectangle(REPLACE, 230, 210, 110, 90))
    fill("#a4443a", lambda: picture.select_polygon(REPLACE, [215, 215, 285, 150, 355, 215]))
    fill("#4c3a30", lambda: picture.select_rectangle(REPLACE, 272, 250, 26, 50))
    Gimp.Selection.none(picture)
    return picture, source


def interactive(name, picture, item, watch, **arguments):
    """Call a procedure as the menu does, while another thread does what a user would."""
    problems = []
    over = threading.Event()

    def user():
        try:
            watch()
            assert over.wait(60), "the dialog stays open"
        except BaseException as error:
            problems.append(repr(error))
            for title in ("Scumble",):
                for each in x("search", "--onlyvisible", "--name", f"^{title}").split():
                    press(each, "Escape")

    thread = threading.Thread(target=user)
    procedure = Gimp.get_pdb().lookup_procedure(f"plug-in-scumble-{name}")
    config = procedure.create_config()
    if picture is not None:
        config.set_property("image", picture)
        config.set_core_object_array("drawables", [item])
    config.set_property("run-mode", Gimp.RunMode.INTERACTIVE)
    for key, value in arguments.items():
        config.set_property(key.replace("_", "-"), value)
    thread.start()
    values = procedure.run(config)
    over.set()
    thread.join()
    assert not problems, problems
    return values


def settle(seconds=4.0):
    time.sleep(seconds)


@scenario
def stylize_selection_shows_a_preview_and_paints_on_ok():
    picture, source = photo()
    picture.select_ellipse(REPLACE, 60, 120, 420, 270)
    Gimp.Selection.feather(picture, 10)

    def user():
        dialog = window("Scumble: stylize")
        settle(float(os.environ.get("SETTLE", "8")))
        picture_of(dialog, "stylize")
        press(dialog, "alt+y")

    values = interactive("stylize", picture, source, user, style=STYLE)
    assert values.index(0) == SUCCESS, values.index(0)
    assert len(picture.get_layers()) == 2


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
    settle(2)

    def after(keys):
        press(main, keys)
        settle(1.5)
        return [each.get_name() for each in picture.get_layers()], Gimp.Selection.bounds(picture)[1:]

    selected = [True, 20, 20, 80, 80]
    layers, selection = after("ctrl+z")
    assert layers == ["landscape"] and list(selection) == selected, (layers, selection)
    layers, selection = after("ctrl+y")
    assert layers == [name, "landscape"] and list(selection) == selected, (layers, selection)
    layers, _ = after("ctrl+z")
    assert layers == ["landscape"]

    _images.remove(picture)
    view.delete()


@scenario
def stylize_regions_has_a_line_for_each_mask():
    picture, _source = photo()
    group = Gimp.GroupLayer.new(picture, "masks")
    picture.insert_layer(group, None, 0)
    places = {"sky": (0, 0, 560, 170), "hills": (0, 230, 560, 190), "house": (210, 150, 150, 150)}
    for name, (left, top, width, height) in places.items():
        mask = Gimp.Layer.new(
            picture, name, width, height, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL
        )
        mask.fill(Gimp.FillType.WHITE)
        picture.insert_layer(mask, group, 0)
        mask.set_offsets(left, top)
    styles = {"sky": "night-swirls", "hills": "pointillist-meadow", "house": "line-and-wash"}
    regions = json.dumps([{"mask": name, "style": style} for name, style in styles.items()])

    def user():
        dialog = window("Scumble: stylize regions")
        settle(float(os.environ.get("SETTLE", "8")))
        picture_of(dialog, "regions")
        press(dialog, "alt+y")

    values = interactive("stylize-regions", picture, group, user, regions=regions)
    assert values.index(0) == SUCCESS, values.index(0)
    assert next(each.get_name() for each in picture.get_layers()) == "masks"
    assert len(picture.get_layers()) == 3


@scenario
def the_backend_dialog_tells_how_it_is():
    def user():
        dialog = window("Scumble: backend")
        settle(4)
        picture_of(dialog, "backend")
        for page in ("models", "log", "elsewhere"):
            press(dialog, "ctrl+Page_Down")
            settle(1)
            if page != "log":
                picture_of(dialog, f"backend-{page}")
        press(dialog, "Escape")

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
        settle(2)
        picture_of(dialog, "subject")
        press(dialog, "alt+o")

    values = interactive("select-subject", picture, source, user)
    assert values.index(0) == SUCCESS, values.index(0)
    assert Gimp.Selection.bounds(picture)[1]


@scenario
def select_by_points_shows_the_mask_of_the_clicks_and_selects_it():
    picture, source = photo()

    def user():
        dialog = window("Scumble: select by points")
        settle(2)
        picture_of(dialog, "points-empty")
        # The picture is 480 x 360 of 560 x 420, in the middle below the dialog's edge.
        click(dialog, 244, 215, button=1, middle=480)
        click(dialog, 440, 320, button=3, middle=480)
        settle(float(os.environ.get("SETTLE", "6")))
        picture_of(dialog, "points")
        press(dialog, "alt+t")

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
        press(window("Scumble: stylize"), "Escape")

    values = interactive("stylize", picture, source, user, style=STYLE)
    assert values.index(0) == CANCEL
    assert len(picture.get_layers()) == 1
