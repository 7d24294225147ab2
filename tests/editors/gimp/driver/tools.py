"""For the scenarios: images, calls, and a report.  Runs inside GIMP."""

import json
import time
import traceback

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Babl, Gegl, Gimp, Gio, GObject  # noqa: E402, F401

INSIDE = "/scumble"
REPORT = f"{INSIDE}/report.json"
STYLE = "night-swirls"
SUCCESS = Gimp.PDBStatusType.SUCCESS
CALLING, EXECUTION, CANCEL = (
    Gimp.PDBStatusType.CALLING_ERROR,
    Gimp.PDBStatusType.EXECUTION_ERROR,
    Gimp.PDBStatusType.CANCEL,
)
RGB, GRAY = Gimp.ImageBaseType.RGB, Gimp.ImageBaseType.GRAY
U8 = Gimp.Precision.U8_NON_LINEAR
REPLACE = Gimp.ChannelOps.REPLACE

scenarios = []
_images = []


def scenario(function):
    scenarios.append(function)
    return function


def ramp(width, height, channels):
    """Pixels with all sorts of values, the last channel (alpha, if there are 2 or 4) among them."""
    data = bytearray()
    for y in range(height):
        for x in range(width):
            values = [(x * 255) // max(1, width - 1), (y * 255) // max(1, height - 1), (x * 7 + y * 13) % 256]
            colour = values[: 3 if channels > 2 else 1]
            data += bytes(colour)
            if channels in (2, 4):
                data.append(255 if (x + y) % 5 else 128)
    return bytes(data)


def image(width=64, height=48, base=RGB, precision=U8, profile=None):
    made = Gimp.Image.new_with_precision(width, height, base, precision)
    if profile is not None:
        made.set_color_profile(profile)
    _images.append(made)
    return made


def layer(parent, width=64, height=48, alpha=True, name="picture", group=None, offsets=(0, 0), position=0):
    """A layer of the image with :func:`ramp` on it."""
    grey = parent.get_base_type() == GRAY
    kind = Gimp.ImageType
    kinds = {
        (False, False): kind.RGB_IMAGE,
        (False, True): kind.RGBA_IMAGE,
        (True, False): kind.GRAY_IMAGE,
        (True, True): kind.GRAYA_IMAGE,
    }
    made = Gimp.Layer.new(parent, name, width, height, kinds[grey, alpha], 100, Gimp.LayerMode.NORMAL)
    write(made, ramp(width, height, (2 if alpha else 1) if grey else (4 if alpha else 3)))
    parent.insert_layer(made, group, position)
    made.set_offsets(*offsets)
    return made


def native(item):
    """The format in which an item's values can be read without any conversion but sRGB's name."""
    return Babl.get_name(item.get_format()).partition("-")[0]


def write(item, data, form=None):
    if form is None:
        model = native(item).split(" ")[0].replace("~", "'").replace("'", "")
        form = {"RGB": "R'G'B'", "RGBA": "R'G'B'A", "Y": "Y'", "YA": "Y'A"}[model] + " u8"
    buffer = item.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, item.get_width(), item.get_height()), form, data)
    buffer.flush()
    item.update(0, 0, item.get_width(), item.get_height())


def read(item, form, x=0, y=0, width=None, height=None):
    area = Gegl.Rectangle.new(x, y, width or item.get_width(), height or item.get_height())
    return bytes(item.get_buffer().get(area, 1.0, form, Gegl.AbyssPolicy.NONE))


def with_group():
    picture = image(80, 60)
    source = layer(picture, 80, 60, alpha=False)
    group = Gimp.GroupLayer.new(picture, "masks")
    picture.insert_layer(group, None, 0)
    layer(picture, 30, 60, alpha=False, name="left", group=group)
    layer(picture, 20, 20, alpha=False, name="spot", group=group, offsets=(50, 30))
    hidden = layer(picture, 80, 60, alpha=False, name="hidden", group=group)
    hidden.set_visible(False)
    return picture, source, group


class Called:
    def __init__(self, values, error, seconds):
        self.status = values.index(0)
        self.layer = values.index(1) if self.status == SUCCESS and values.length() > 2 else None
        self.report = values.index(values.length() - 1) if self.status == SUCCESS else ""
        self.error = error or ""
        self.seconds = seconds


def call(name, picture=None, drawables=(), **arguments):
    procedure = Gimp.get_pdb().lookup_procedure(f"plug-in-scumble-{name}")
    assert procedure is not None, f"{name} is not registered"
    config = procedure.create_config()
    if picture is not None:
        config.set_property("image", picture)
        config.set_core_object_array("drawables", list(drawables))
        config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    for key, value in arguments.items():
        config.set_property(key.replace("_", "-"), value)
    began = time.monotonic()
    values = procedure.run(config)
    return Called(values, Gimp.get_pdb().get_last_error(), time.monotonic() - began)


def stylize(item, **arguments):
    arguments = {"style": STYLE, **arguments}
    done = call("stylize", item.get_image(), [item], **arguments)
    assert done.status == SUCCESS, done.error
    return done


def refused(status, text, name, picture, drawables, **arguments):
    """The call fails with this status, says this, and changes nothing."""
    before = [(each.get_name(), each.get_id()) for each in picture.get_layers()]
    done = call(name, picture, drawables, **arguments)
    assert done.status == status, (done.status, done.error)
    assert text in done.error, done.error
    assert "Traceback" not in done.error and "/" not in done.error.replace("16 or 32", ""), done.error
    assert [(each.get_name(), each.get_id()) for each in picture.get_layers()] == before
    return done


def settings_of(painted):
    """The settings that are kept with a layer."""
    return json.loads(bytes(painted.get_parasite("scumble-settings").get_data()).rstrip(b"\0"))


def bounds(item):
    _, x, y = item.get_offsets()
    return x, y, item.get_width(), item.get_height()


def run(only=""):
    found = {}
    for function in scenarios:
        if only and only not in function.__name__:
            continue
        began = time.monotonic()
        try:
            outcome = function()
            found[function.__name__] = {"problem": "", "found": outcome}
        except BaseException:
            found[function.__name__] = {"problem": traceback.format_exc(), "found": None}
        found[function.__name__]["seconds"] = round(time.monotonic() - began, 2)
        while _images:
            _images.pop().delete()
        with open(REPORT + ".partial", "w") as stream:
            json.dump(found, stream, indent=1, default=str)
        import os

        os.replace(REPORT + ".partial", REPORT)
