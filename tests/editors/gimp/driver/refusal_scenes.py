"""Bad input is refused with what to do, and changes nothing."""

import array

from tools import (
    CALLING,
    EXECUTION,
    INSIDE,
    REPLACE,
    RGB,
    STYLE,
    Gegl,
    Gimp,
    Gio,
    image,
    layer,
    refused,
    scenario,
    with_group,
    write,
)


@scenario
def an_indexed_image_is_refused_with_the_remedy():
    picture = image()
    source = layer(picture, alpha=False)
    picture.convert_indexed(
        Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, ""
    )
    refused(CALLING, "Mode > RGB", "stylize", picture, [source], style=STYLE)


@scenario
def a_selection_beside_the_layer_is_refused():
    picture = image(100, 80)
    source = layer(picture, 30, 20)
    picture.select_rectangle(REPLACE, 60, 40, 20, 20)
    refused(EXECUTION, "where the layer has no pixels", "stylize", picture, [source], style=STYLE)


@scenario
def several_layers_at_once_are_refused():
    picture = image()
    both = [layer(picture), layer(picture, name="other")]
    refused(CALLING, "2 layers are chosen", "stylize", picture, both, style=STYLE)
    refused(CALLING, "No layer is chosen", "stylize", picture, [], style=STYLE)


@scenario
def a_group_is_refused_by_stylize_selection():
    picture, _, group = with_group()
    refused(CALLING, "layer group", "stylize", picture, [group], style=STYLE)


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
