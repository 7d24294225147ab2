"""What a user does in front of a screen: windows are looked for, keys and buttons pressed, pictures taken."""

import os
import random
import signal
import subprocess
import threading
import time

from tools import INSIDE, REPLACE, Gegl, Gimp, image, layer, read, write
from watching import at_rest, plug_ins

ADD, SUBTRACT = Gimp.ChannelOps.ADD, Gimp.ChannelOps.SUBTRACT
#: Of what lies at the top of a dialog.
TOP = 24
PICTURES = f"{INSIDE}/pictures"


def x(*words):
    done = subprocess.run(["xdotool", *map(str, words)], capture_output=True, text=True, timeout=300)
    return done.stdout.strip()


def window(title, patience=90):
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


def finish(window_id, key):
    """Press a key that ends a dialog, until it is gone: a busy machine may lose one."""
    for _ in range(6):
        press(window_id, key)
        if until(lambda: window_id not in x("search", "--onlyvisible", "--name", ".").split(), 10):
            return
    raise AssertionError(f"{key} does not end it; there are {windows()}, in front {x('getwindowfocus')}")


def until(true, patience=90):
    """Wait for something; whether it has become true."""
    began = time.monotonic()
    while not true() and time.monotonic() < began + patience:
        time.sleep(0.05)
    return true()


def still(window_id, seconds=2.0, patience=60):
    """Wait until nothing moves in a window, and the backend has nothing to do.

    While a picture is waited for, a spinner turns; but not while a click is thought about.
    """
    seen, since, began = None, time.monotonic(), time.monotonic()
    while time.monotonic() < began + patience:
        now = subprocess.run(
            ["import", "-window", window_id, "rgb:-"], capture_output=True, timeout=300
        ).stdout
        if now != seen or not at_rest():
            seen, since = now, time.monotonic()
        elif time.monotonic() - since >= seconds:
            return
        time.sleep(0.2)


def mean_colour(window_id, left, top, width, height):
    """The mean colour of a part of a window, 0 to 255."""
    crop = ["-crop", f"{width}x{height}+{left}+{top}", "+repage", "-scale", "1x1!", "-depth", "8", "rgb:-"]
    shot = subprocess.run(["import", "-window", window_id, "png:-"], capture_output=True, timeout=300).stdout
    return list(
        subprocess.run(["convert", "png:-", *crop], input=shot, capture_output=True, timeout=300).stdout
    )


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
    x("mousemove", "--window", window_id, 3, 3)  # where it rests on something, that says what it is
    time.sleep(0.7)
    file = f"{PICTURES}/{name}.png"
    subprocess.run(["import", "-window", window_id, file], timeout=300, check=True)
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
    subprocess.run(small, timeout=300, check=True)


_MOUNTAINS = [0, 240, 120, 130, 260, 230, 380, 120, 560, 250, 560, 420, 0, 420]


def _house(picture, how=REPLACE):
    picture.select_rectangle(how, 230, 210, 110, 90)
    picture.select_polygon(SUBTRACT if how == SUBTRACT else ADD, [215, 215, 285, 150, 355, 215])


def _hills(picture, how=REPLACE):
    picture.select_ellipse(how, -120, 230, 520, 360)
    picture.select_ellipse(SUBTRACT if how == SUBTRACT else ADD, 180, 270, 560, 330)
    _house(picture, SUBTRACT)


def _mountains(picture):
    picture.select_polygon(REPLACE, _MOUNTAINS)
    _hills(picture, SUBTRACT)


def _sky(picture):
    picture.select_rectangle(REPLACE, 0, 0, 560, 420)
    picture.select_polygon(SUBTRACT, _MOUNTAINS)
    _hills(picture, SUBTRACT)


#: Select a part of :func:`photo`.
SHAPES = {"sky": _sky, "mountains": _mountains, "hills": _hills, "house": _house}


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
    fill("#7b98a5", lambda: picture.select_polygon(REPLACE, _MOUNTAINS))
    fill("#5e8d3f", lambda: picture.select_ellipse(REPLACE, -120, 230, 520, 360))
    fill("#84ab4a", lambda: picture.select_ellipse(REPLACE, 180, 270, 560, 330))
    fill("#c9b18b", lambda: picture.select_rectangle(REPLACE, 230, 210, 110, 90))
    fill("#a4443a", lambda: picture.select_polygon(REPLACE, [215, 215, 285, 150, 355, 215]))
    fill("#4c3a30", lambda: picture.select_rectangle(REPLACE, 272, 250, 26, 50))
    Gimp.Selection.none(picture)
    _light(source, width, height)
    return picture, source


def _light(source, width, height):
    """Flat colours are no picture: light that falls off, and grain."""
    pixels = bytearray(read(source, "R'G'B' u8"))
    grain = random.Random(5)
    for y in range(height):
        for x in range(width):
            change = round(26 * (1 - (x + 1.4 * y) / (width + height)) - 8 + grain.gauss(0, 5))
            for at in range(3 * (y * width + x), 3 * (y * width + x) + 3):
                pixels[at] = min(255, max(0, pixels[at] + change))
    write(source, bytes(pixels), "R'G'B' u8")


def interactive(name, picture, item, watch, **arguments):
    """Call a procedure as the menu does, while another thread does what a user would."""
    problems = []
    over = threading.Event()

    def user():
        try:
            watch()
            assert over.wait(120), "the dialog stays open"
        except BaseException as error:
            problems.append(repr(error))
            # Whatever the matter is, the other scenarios shall have their turn.
            while not over.wait(1):
                for process in plug_ins():
                    os.kill(process, signal.SIGKILL)

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
