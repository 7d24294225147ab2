"""Bad input is refused with what to do, and changes nothing."""

import array

from tools import (
    CALLING,
    EXECUTION,
    INSIDE,
    REPLACE,
    RGB,
    STYLE,
    SUCCESS,
    Gegl,
    Gimp,
    Gio,
    bounds,
    call,
    image,
    layer,
    refused,
    scenario,
    with_group,
    write,
)


@scenario
def a_selection_beside_the_layer_is_refused():
    picture = image(100, 80)
    source = layer(picture, 30, 20)
    picture.select_rectangle(REPLACE, 60, 40, 20, 20)
    refused(EXECUTION, "where the layer has no pixels", "stylize", picture, [source], style=STYLE)


@scenario
def a_channel_is_refused():
    picture = image()
    layer(picture)
    channel = Gimp.Channel.new(picture, "saved", 64, 48, 50, Gegl.Color.new("red"))
    picture.insert_channel(channel, None, 0)
    refused(CALLING, "not a layer", "stylize", picture, [channel], style=STYLE)


@scenario
def wrong_styles_are_refused():
    picture = image()
    source = layer(picture)
    refused(CALLING, "No style is chosen", "stylize", picture, [source])
    refused(CALLING, "style", "stylize", picture, [source], style="no-such-style")
    refused(CALLING, "cannot be understood", "stylize", picture, [source], style="a:x, b")
    missing = Gio.File.new_for_path(f"{INSIDE}/nowhere.png")
    refused(CALLING, "is not there", "stylize", picture, [source], style_file=missing)
    broken = Gio.File.new_for_path(f"{INSIDE}/driver/tools.py")
    refused(EXECUTION, "cannot read", "stylize", picture, [source], style_file=broken)
    refused(CALLING, "more than one style", "stylize", picture, [source], style_file=missing, style=STYLE)


@scenario
def wrong_engines_and_options_are_refused():
    picture = image()
    source = layer(picture)
    good = {"style": STYLE}
    refused(CALLING, "no engine called", "stylize", picture, [source], engine="oil", **good)
    refused(CALLING, "no option called", "stylize", picture, [source], options="glow=1", **good)
    refused(CALLING, "cannot be", "stylize", picture, [source], options="texture=7", **good)
    refused(CALLING, "cannot be understood", "stylize", picture, [source], options="{texture", **good)


@scenario
def wrong_regions_are_refused():
    picture, source, group = with_group()
    name = "stylize-regions"
    refused(
        CALLING,
        "no visible layer in the group called",
        name,
        picture,
        [source],
        group=group,
        regions='[{"mask": "hidden", "style": "etching-street"}]',
    )
    refused(CALLING, "No region has a style", name, picture, [source], group=group)
    refused(CALLING, "not JSON", name, picture, [source], group=group, regions="[")
    refused(
        EXECUTION,
        "no saved channel",
        name,
        picture,
        [source],
        masks="channels",
        regions='[{"mask": "*", "style": "etching-street"}]',
    )
    child = picture.get_layer_by_name("left")
    refused(
        CALLING,
        "one of the masks",
        name,
        picture,
        [child],
        group=group,
        regions='[{"mask": "*", "style": "etching-street"}]',
    )


@scenario
def values_that_are_no_numbers_are_refused():
    picture = image(16, 16, RGB, Gimp.Precision.FLOAT_LINEAR)
    source = layer(picture, 16, 16, alpha=False)
    data = array.array("f", [0.5] * (16 * 16 * 3))
    data[7] = float("nan")
    write(source, data.tobytes(), "RGB float")
    refused(EXECUTION, "", "stylize", picture, [source], style=STYLE)


COMMANDS = {
    "stylize": {"style": STYLE},
    "brushwork": {"style": STYLE},
    "stylize-regions": {"masks": "channels", "regions": f'[{{"mask": "*", "style": "{STYLE}"}}]'},
    "select-subject": {},
    "select-points": {"points": "10,10"},
}


@scenario
def every_command_wants_one_layer_with_pixels_of_its_own():
    picture = image()
    both = [layer(picture), layer(picture, name="other")]
    group = Gimp.GroupLayer.new(picture, "empty group")
    picture.insert_layer(group, None, 0)
    for name, given in COMMANDS.items():
        refused(CALLING, "2 layers are chosen", name, picture, both, **given)
        refused(CALLING, "No layer is chosen", name, picture, [], **given)
        if name != "stylize-regions":  # there a group means the layer below it
            refused(CALLING, "layer group", name, picture, [group], **given)


@scenario
def every_command_says_how_an_indexed_image_can_be_painted():
    picture = image()
    source = layer(picture, alpha=False)
    picture.convert_indexed(
        Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, ""
    )
    for name, given in COMMANDS.items():
        refused(CALLING, "Mode > RGB", name, picture, [source], **given)


@scenario
def there_is_no_layer_without_a_size_and_the_smallest_is_painted():
    picture = image()
    try:
        nothing = Gimp.Layer.new(
            picture, "nothing", 0, 0, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL
        )
    except TypeError:  # "constructor returned NULL"
        nothing = None
    assert nothing is None or not nothing.is_valid(), "GIMP makes none"
    source = layer(picture, 1, 1, offsets=(5, 7))
    done = call("stylize", picture, [source], style=STYLE)
    assert done.status == SUCCESS, done.error
    assert bounds(done.layer) == (5, 7, 1, 1)


@scenario
def an_empty_selection_that_is_one_is_told_from_none():
    """A selection of nothing inside the layer's bounds: GIMP takes it for none, so the layer is painted."""
    picture = image()
    source = layer(picture)
    picture.select_rectangle(REPLACE, 10, 10, 20, 20)
    picture.select_rectangle(Gimp.ChannelOps.SUBTRACT, 0, 0, 64, 48)
    assert Gimp.Selection.is_empty(picture)
    done = call("stylize", picture, [source], style=STYLE)
    assert done.status == SUCCESS and bounds(done.layer) == (0, 0, 64, 48)
