"""What the plug-in has to do in GIMP, as sentences; each is a test."""

import array
import json
import os
import signal
import threading
import time
from pathlib import Path

from tools import (
    CALLING,
    EXECUTION,
    GRAY,
    INSIDE,
    REPLACE,
    RGB,
    STYLE,
    SUCCESS,
    U8,
    Gegl,
    Gimp,
    Gio,
    bounds,
    call,
    image,
    layer,
    native,
    ramp,
    read,
    refused,
    scenario,
    stylize,
    write,
)

SWEEP = [
    Gimp.Precision.U8_LINEAR,
    Gimp.Precision.U8_NON_LINEAR,
    Gimp.Precision.U8_PERCEPTUAL,
    Gimp.Precision.U16_NON_LINEAR,
    Gimp.Precision.U32_LINEAR,
    Gimp.Precision.HALF_NON_LINEAR,
    Gimp.Precision.FLOAT_LINEAR,
    Gimp.Precision.DOUBLE_NON_LINEAR,
]


def values(item):
    """All values of a drawable, in 32-bit float and its own colour space's sRGB, and how many a pixel has."""
    form, channels = ("Y'A float", 2) if native(item).startswith("Y") else ("R'G'B'A float", 4)
    return array.array("f", read(item, form)), channels


def apart(one, other):
    """The largest difference of two drawables of one size, also in the colour of what is transparent."""
    (a, _), (b, _) = values(one), values(other)
    assert len(a) == len(b)
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


# -- the result ------------------------------------------------------------------------------------------


@scenario
def the_new_layer_lies_above_its_source_and_all_else_stays():
    picture = image(64, 48)
    source = layer(picture)
    layer(picture, name="on top")
    before = read(source, "R'G'B'A u8")
    picture.select_rectangle(REPLACE, 10, 8, 30, 20)
    done = stylize(source)
    assert [each.get_name() for each in picture.get_layers()] == [
        "on top",
        done.layer.get_name(),
        "picture",
    ]
    assert done.layer.get_name() == "night swirls (partial-conv)"
    assert bounds(done.layer) == (10, 8, 30, 20)
    assert read(source, "R'G'B'A u8") == before
    assert list(Gimp.Selection.bounds(picture))[1:] == [True, 10, 8, 40, 28]
    painted = read(done.layer, "R'G'B'A u8")
    middle = (10 * 30 + 15) * 4
    under = ((8 + 10) * 64 + 10 + 15) * 4
    assert painted[middle + 3] > 100
    assert painted[middle : middle + 3] != before[under : under + 3]
    return json.loads(done.report)


@scenario
def the_settings_are_kept_with_the_layer():
    picture = image()
    source = layer(picture)
    done = stylize(source, strength=0.5, options='{"texture": 0.8}', seed=7)
    data = bytes(done.layer.get_parasite("scumble-settings").get_data())
    kept = json.loads(data.rstrip(b"\0"))
    assert kept["options"] == {"texture": 0.8} and kept["seed"] == 7
    assert kept["regions"][0]["strength"] == 0.5
    assert kept["regions"][0]["style"] == {"gallery": STYLE}


@scenario
def the_new_layer_goes_into_the_group_of_its_source():
    picture = image()
    group = Gimp.GroupLayer.new(picture, "group")
    picture.insert_layer(group, None, 0)
    layer(picture, 20, 20, name="above", group=group)
    source = layer(picture, group=group, position=1)
    done = stylize(source)
    assert done.layer.get_parent() == group
    assert [each.get_name() for each in group.get_children()] == ["above", done.layer.get_name(), "picture"]


@scenario
def without_a_selection_the_whole_layer_is_painted_beyond_the_image_too():
    picture = image(40, 30)
    source = layer(picture, 64, 48, offsets=(-12, -9))
    done = stylize(source)
    assert bounds(done.layer) == (-12, -9, 64, 48)


@scenario
def a_small_layer_is_painted_where_it_lies():
    picture = image(100, 80)
    source = layer(picture, 30, 20, offsets=(50, 40))
    picture.select_rectangle(REPLACE, 60, 0, 40, 80)
    done = stylize(source)
    assert bounds(done.layer) == (60, 40, 20, 20)


@scenario
def a_soft_selection_is_honoured():
    picture = image(64, 48)
    source = layer(picture, alpha=False)
    selection = picture.get_selection()
    picture.select_rectangle(REPLACE, 8, 8, 48, 32)
    Gimp.Selection.feather(picture, 12)
    done = stylize(source)
    x, y, width, height = bounds(done.layer)
    alpha = read(done.layer, "A u8")
    chosen = read(selection, "Y u8", x, y, width, height)
    assert len(set(alpha)) > 8, "soft"
    assert all(a <= s + 2 for a, s in zip(alpha, chosen, strict=True)), "never more than was selected"


@scenario
def a_layer_mask_hides_the_same_of_the_new_layer():
    picture = image(64, 48)
    source = layer(picture)
    mask = source.create_mask(Gimp.AddMaskType.WHITE)
    source.add_mask(mask)
    values = bytes(255 if x < 32 else 60 for _ in range(48) for x in range(64))
    write(mask, values, native(mask))
    picture.select_rectangle(REPLACE, 16, 0, 32, 48)
    done = stylize(source)
    copy = done.layer.get_mask()
    assert copy is not None
    assert read(copy, native(copy)) == bytes(255 if x < 16 else 60 for _ in range(48) for x in range(32))
    assert read(mask, native(mask)) == values


@scenario
def a_mask_that_is_switched_off_hides_nothing():
    picture = image()
    source = layer(picture)
    source.add_mask(source.create_mask(Gimp.AddMaskType.BLACK))
    source.set_apply_mask(False)
    assert stylize(source).layer.get_mask() is None


@scenario
def the_mask_of_a_layer_stands_for_its_layer():
    picture = image()
    source = layer(picture)
    mask = source.create_mask(Gimp.AddMaskType.WHITE)
    source.add_mask(mask)
    done = call("stylize", picture, [mask], style=STYLE)
    assert done.status == SUCCESS, done.error
    assert done.layer.get_name() != "picture"


@scenario
def transparent_pixels_are_not_painted():
    picture = image(64, 48)
    source = layer(picture)
    data = bytearray(read(source, "R'G'B'A u8"))
    for y in range(48):
        for x in range(32):
            data[(y * 64 + x) * 4 + 3] = 0
    write(source, bytes(data))
    done = stylize(source)
    x0, _y0, width, height = bounds(done.layer)
    alpha = read(done.layer, "A u8")
    assert all(alpha[y * width + x] == 0 for y in range(height) for x in range(width) if x + x0 < 31)
    assert max(alpha) > 200


@scenario
def a_text_layer_is_painted_from_its_pixels_and_stays_text():
    picture = image(120, 60)
    source = Gimp.TextLayer.new(picture, "Scumble", Gimp.context_get_font(), 30, Gimp.Unit.pixel())
    picture.insert_layer(source, None, 0)
    done = stylize(source)
    assert source.is_text_layer() and not done.layer.is_text_layer()
    assert done.layer.get_width() > 10


# -- formats ---------------------------------------------------------------------------------------------


def identity(base, precision, alpha, profile=None):
    """How far zero strength moves what the image shows."""
    picture = image(24, 16, base, precision, profile)
    source = layer(picture, 24, 16, alpha)
    before = Gimp.Layer.new_from_visible(picture, picture, "before")
    done = stylize(source, strength=0.0)
    assert native(done.layer) == native(before), "of the same kind"
    return apart(before, Gimp.Layer.new_from_visible(picture, picture, "after"))


@scenario
def zero_strength_changes_nothing_at_any_precision():
    found = {}
    for precision in SWEEP:
        for base in (RGB, GRAY):
            name = f"{precision.value_nick} {base.value_nick}"
            found[name] = identity(base, precision, alpha=base == RGB)
            assert found[name] <= 1e-6, found
    return found


@scenario
def zero_strength_changes_nothing_whatever_the_profile():
    found = {}
    profiles = {"adobe": Gimp.ColorProfile.new_rgb_adobe(), "gray": Gimp.ColorProfile.new_d65_gray_linear()}
    for name, profile in profiles.items():
        for precision in (U8, Gimp.Precision.FLOAT_LINEAR):
            key = f"{name} {precision.value_nick}"
            found[key] = identity(GRAY if name == "gray" else RGB, precision, True, profile)
            assert found[key] <= 1e-6, found
    return found


@scenario
def the_same_colours_give_the_same_painting_at_any_precision_and_with_any_profile():
    """Colours are converted on the way out and on the way back: all that differs is rounding."""
    adobe, linear = Gimp.ColorProfile.new_rgb_adobe(), Gimp.ColorProfile.new_rgb_srgb_linear()
    cases = {precision.value_nick: (precision, None) for precision in SWEEP}
    cases["adobe u8"] = U8, adobe
    cases["adobe u16"] = Gimp.Precision.U16_NON_LINEAR, adobe
    cases["adobe float"] = Gimp.Precision.FLOAT_LINEAR, adobe
    cases["linear profile"] = Gimp.Precision.HALF_NON_LINEAR, linear
    looks = {}
    for name, (precision, profile) in cases.items():
        picture = image(48, 32, RGB, precision, profile)
        source = layer(picture, 48, 32, alpha=False)
        muted = bytes(64 + value // 2 for value in ramp(48, 32, 3))
        write(source, muted, "R'G'B' u8")  # sRGB, converted into the image's own space
        # Strokes are laid by comparing neighbourhoods, and tip over at a rounding; colours do not.
        done = stylize(source, options="texture=0")
        painted = read(done.layer, "R'G'B'A u8")
        looks[name] = [value for i, value in enumerate(painted) if painted[i | 3] == 255]
    first = looks["u16-non-linear"]
    assert len(first) > 1000
    found = {}
    for name, look in looks.items():
        assert len(look) == len(first), name
        differences = [abs(a - b) for a, b in zip(first, look, strict=True)]
        found[name] = max(differences), sum(differences) / len(differences)
        coarse = name.startswith(("u8", "adobe u8"))
        assert found[name][1] <= (3.0 if name == "u8-linear" else 1.0 if coarse else 0.3), found
    return found


@scenario
def grey_images_get_grey_layers():
    picture = image(64, 48, GRAY)
    source = layer(picture, alpha=False)
    done = stylize(source)
    assert done.layer.type() == Gimp.ImageType.GRAYA_IMAGE
    assert read(done.layer, "Y'A u8")[::2] != read(source, "Y'A u8")[::2]


# -- styles and options ----------------------------------------------------------------------------------


def save_style():
    path = f"{INSIDE}/style.png"
    if not os.path.exists(path):
        picture = image(96, 96)
        source = layer(picture, 96, 96, alpha=False)
        Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, picture, Gio.File.new_for_path(path), None)
        del source
    return path


@scenario
def a_file_and_a_layer_with_the_same_picture_paint_the_same():
    path = save_style()
    other = image(96, 96)
    style = layer(other, 96, 96, alpha=False, name="colours")
    looks = []
    for how in ({"style_file": Gio.File.new_for_path(path)}, {"style_drawable": style}):
        picture = image()
        source = layer(picture, alpha=False)
        done = stylize(source, style="", **how)
        looks.append((done.layer.get_name(), read(done.layer, "R'G'B'A u8")))
    assert [name for name, _ in looks] == ["style (partial-conv)", "colours (partial-conv)"]
    assert looks[0][1] == looks[1][1]


@scenario
def styles_blend_by_weight():
    picture = image()
    source = layer(picture, alpha=False)
    looks = []
    for style in ("night-swirls", "etching-street", "night-swirls:0.5, etching-street:0.5"):
        looks.append(read(stylize(source, style=style).layer, "R'G'B'A u8"))
    assert len(set(looks)) == 3


@scenario
def options_reach_the_engine_in_either_notation():
    picture = image()
    source = layer(picture, alpha=False)
    plain = read(stylize(source).layer, "R'G'B'A u8")
    one = read(stylize(source, options='{"texture": 0.0, "match_color": 0.1}').layer, "R'G'B'A u8")
    other = read(stylize(source, options="texture=0, match_color=0.1").layer, "R'G'B'A u8")
    assert one == other != plain


@scenario
def the_same_call_gives_the_same_picture():
    picture = image()
    source = layer(picture)
    one, other = stylize(source), stylize(source, layer_name="mine")
    assert read(one.layer, "R'G'B'A u8") == read(other.layer, "R'G'B'A u8")
    assert other.layer.get_name() == "mine"


# -- regions ---------------------------------------------------------------------------------------------


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


@scenario
def each_visible_layer_of_a_group_is_a_region_with_its_own_style():
    picture, source, group = with_group()
    regions = json.dumps(
        [{"mask": "left", "style": STYLE}, {"mask": "spot", "style": "etching-street", "strength": 0.8}]
    )
    done = call("stylize-regions", picture, [source], group=group, regions=regions)
    assert done.status == SUCCESS, done.error
    assert bounds(done.layer) == (0, 0, 70, 60)
    alpha = read(done.layer, "A u8")
    assert alpha[45 * 70 + 15] > 200 and alpha[40 * 70 + 60] > 200, "inside both"
    assert alpha[10 * 70 + 60] == 0 and alpha[45 * 70 + 40] == 0, "nowhere else"
    assert [each.get_name() for each in picture.get_layers()][1] == done.layer.get_name()
    kept = json.loads(bytes(done.layer.get_parasite("scumble-settings").get_data()).rstrip(b"\0"))
    assert sorted(region["mask"] for region in kept["regions"]) == [
        ["layer_alpha", "left"],
        ["layer_alpha", "spot"],
    ]


@scenario
def an_active_group_means_the_layer_below_it_and_the_star_all_masks():
    picture, _source, group = with_group()
    done = call("stylize-regions", picture, [group], regions='[{"mask": "*", "style": "etching-street"}]')
    assert done.status == SUCCESS, done.error
    position = [each.get_name() for each in picture.get_layers()]
    assert position == ["masks", done.layer.get_name(), "picture"]


@scenario
def a_masked_or_faint_layer_selects_as_much_as_it_shows():
    picture, source, group = with_group()
    left = picture.get_layer_by_name("left")
    left.set_opacity(50)
    mask = left.create_mask(Gimp.AddMaskType.WHITE)
    left.add_mask(mask)
    write(mask, bytes(255 if y < 30 else 0 for y in range(60) for _ in range(30)), native(mask))
    done = call(
        "stylize-regions",
        picture,
        [source],
        group=group,
        regions='[{"mask":"left","style":"etching-street"}]',
    )
    assert done.status == SUCCESS, done.error
    x, y, width, height = bounds(done.layer)
    alpha = read(done.layer, "A u8")
    assert 100 < alpha[(15 - y) * width + 15 - x] < 155
    assert height <= 32 or alpha[(45 - y) * width + 15 - x] == 0


@scenario
def saved_channels_are_regions_too():
    picture = image(80, 60)
    source = layer(picture, 80, 60, alpha=False)
    for name, x in (("sky", 0), ("ground", 40)):
        picture.select_rectangle(REPLACE, x, 10, 30, 30)
        channel = Gimp.Selection.save(picture)
        channel.set_name(name)
    Gimp.Selection.none(picture)
    regions = '[{"mask": "sky", "style": "night-swirls"}, {"mask": "ground", "style": "etching-street"}]'
    done = call("stylize-regions", picture, [source], masks="channels", regions=regions)
    assert done.status == SUCCESS, done.error
    x, y, width, _height = bounds(done.layer)
    alpha = read(done.layer, "A u8")
    assert alpha[(25 - y) * width + 15 - x] > 200 and alpha[(25 - y) * width + 35 - x] == 0


# -- other procedures ------------------------------------------------------------------------------------


@scenario
def repeat_last_does_it_again_elsewhere():
    first = image()
    stylize(layer(first, alpha=False), strength=0.6, options="texture=0.2")
    picture = image(50, 40)
    source = layer(picture, 50, 40, alpha=False)
    picture.select_rectangle(REPLACE, 5, 5, 20, 20)
    done = call("repeat-last", picture, [source])
    assert done.status == SUCCESS, done.error
    assert bounds(done.layer) == (5, 5, 20, 20)
    kept = json.loads(bytes(done.layer.get_parasite("scumble-settings").get_data()).rstrip(b"\0"))
    assert kept["options"] == {"texture": 0.2} and kept["regions"][0]["strength"] == 0.6


@scenario
def the_backend_procedure_tells_how_it_is():
    status = json.loads(call("backend").report)
    assert status["state"] in ("ready", "busy") and status["pid"] > 0, status
    assert json.loads(call("backend", action="describe").report)["engines"]
    models = json.loads(call("backend", action="models").report)
    assert models, models
    assert "backend" in call("backend", action="log").report
    return status


@scenario
def brushwork_is_there_if_the_backend_has_it():
    offered = json.loads(call("backend", action="describe").report)
    there = Gimp.get_pdb().procedure_exists("plug-in-scumble-brushwork")
    assert there == ("nnst" in [engine["name"] for engine in offered["engines"]])
    assert Gimp.get_pdb().procedure_exists("plug-in-scumble-stylize")
    if there:
        picture = image()
        source = layer(picture, alpha=False)
        picture.select_rectangle(REPLACE, 8, 8, 40, 32)
        done = call("brushwork", picture, [source], style=STYLE)
        if done.status == SUCCESS:
            assert bounds(done.layer) == (8, 8, 40, 32) and "nnst" in done.layer.get_name()
        else:
            assert done.status == EXECUTION and "nstall" in done.error, done.error
        return done.error or done.seconds


@scenario
def select_subject_selects_what_stands_out_in_one_step():
    name = "plug-in-scumble-select-subject"
    offered = [
        m for m in json.loads(call("backend", action="describe").report)["selecting"] if not m["missing"]
    ]
    assert Gimp.get_pdb().procedure_exists(name) == bool(offered)
    picture = image(96, 80)
    source = layer(picture, 96, 80, alpha=False, offsets=(0, 0))
    data = bytearray()
    for y in range(80):
        for x in range(96):
            inside = (x - 48) ** 2 + (y - 40) ** 2 < 22**2
            data += bytes((210, 40, 30) if inside else (30 + x // 8, 90, 140 + y // 8))
    write(source, bytes(data))
    picture.select_rectangle(REPLACE, 18, 10, 60, 60)
    done = call("select-subject", picture, [source])
    assert done.status == SUCCESS, done.error
    chosen = read(picture.get_selection(), "Y u8")
    assert chosen[40 * 96 + 48] > 200 and chosen[40 * 96 + 5] < 50 and chosen[12 * 96 + 20] < 128
    assert picture.get_channels() == [] and len(picture.get_layers()) == 1
    return json.loads(done.report)


@scenario
def the_documented_script_repaints_a_folder():
    import stylize_folder

    folder, target = Path(f"{INSIDE}/photos"), Path(f"{INSIDE}/paintings")
    folder.mkdir()
    (folder / "notes.txt").write_text("no picture")
    (folder / "broken.png").write_text("no picture either")
    for name in ("a", "b"):
        picture = image(40, 30)
        layer(picture, 40, 30, alpha=False)
        file = Gio.File.new_for_path(str(folder / f"{name}.png"))
        Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, picture, file, None)
    made = stylize_folder.stylize_folder(folder, target, STYLE, "draft=yes")
    assert made == ["a.png", "b.png"] == sorted(each.name for each in target.iterdir())
    assert (folder / "a.png").read_bytes() != (target / "a.png").read_bytes()


# -- bad input -------------------------------------------------------------------------------------------


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


# -- trouble ---------------------------------------------------------------------------------------------


def plug_ins():
    """Processes that run the plug-in, but for the halves that stand by."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit():
                with open(f"/proc/{name}/cmdline", "rb") as stream:
                    words = stream.read().split(b"\0")
                if any(word.endswith(b"/scumble/scumble.py") for word in words) and b"-run" in words:
                    with open(f"/proc/{name}/stat") as stream:
                        session = stream.read().rpartition(")")[2].split()[3]
                    if session != name:
                        found.append(int(name))
        except OSError:
            continue
    return found


def log():
    with open(f"{INSIDE}/state/backend.log") as stream:
        return stream.read()


def at_work(action):
    """Do something once the backend works on the next job, from another thread."""
    seen = log().count(" of 'gimp': ")

    def watch():
        until = time.monotonic() + 60
        while time.monotonic() < until and log().count(" of 'gimp': ") <= seen:
            time.sleep(0.02)
        time.sleep(0.3)
        action()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def large():
    picture = image(1400, 1200)
    source = Gimp.Layer.new(
        picture, "large", 1400, 1200, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL
    )
    source.fill(Gimp.FillType.WHITE)
    picture.insert_layer(source, None, 0)
    return picture, source


@scenario
def cancelling_ends_the_job_in_the_backend_too():
    """GIMP's Cancel kills the plug-in's process; so does this."""
    picture, source = large()
    thread = at_work(lambda: [os.kill(pid, signal.SIGKILL) for pid in plug_ins()])
    done = call("stylize", picture, [source], style=STYLE)
    thread.join()
    assert done.status != SUCCESS
    assert len(picture.get_layers()) == 1
    killed = time.monotonic()
    while "cancelled" not in log() and time.monotonic() < killed + 10:
        time.sleep(0.05)
    assert "cancelled" in log(), log()[-500:]
    small = image()
    stylize(layer(small))
    return time.monotonic() - killed


@scenario
def a_killed_backend_is_started_again_and_the_job_is_done():
    _picture, source = large()
    with open(f"{INSIDE}/run/connection.json") as stream:
        pid = json.load(stream)["pid"]
    thread = at_work(lambda: os.kill(pid, signal.SIGKILL))
    done = stylize(source)
    thread.join()
    assert bounds(done.layer) == (0, 0, 1400, 1200)
    with open(f"{INSIDE}/run/connection.json") as stream:
        assert json.load(stream)["pid"] != pid


@scenario
def the_backend_can_be_ended_and_comes_back_when_it_is_needed():
    assert json.loads(call("backend", action="stop").report)["state"] == "stopped"
    assert json.loads(call("backend").report)["state"] == "stopped"
    picture = image()
    stylize(layer(picture))
    assert json.loads(call("backend").report)["state"] in ("ready", "busy")


@scenario
def without_any_backend_the_call_fails_with_what_to_do():
    assert json.loads(call("backend", action="stop").report)["state"] == "stopped"
    os.rename(f"{INSIDE}/python", f"{INSIDE}/python.away")
    try:
        picture = image()
        source = layer(picture)
        refused(EXECUTION, "installer", "stylize", picture, [source], style=STYLE)
    finally:
        os.rename(f"{INSIDE}/python.away", f"{INSIDE}/python")


@scenario
def a_backend_of_another_version_is_told_apart():
    """A backend elsewhere that speaks a protocol of its own; then this machine's own again."""
    import zmq

    with open(f"{INSIDE}/driver/other_key.json") as stream:
        keys = json.load(stream)
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.curve_server = True
    router.curve_secretkey = keys["server_secret"].encode()
    router.linger = 0
    port = router.bind_to_random_port("tcp://127.0.0.1")
    answers = threading.Event()

    def serve():
        while not answers.is_set():
            if router.poll(100):
                who, *frames = router.recv_multipart()
                asked = json.loads(frames[1])
                failure = {"code": "unsupported_protocol", "message": "", "hint": "", "retry": False}
                answer = {"type": "failed", "id": asked["id"], "body": failure, "buffers": []}
                router.send_multipart([who, frames[0], json.dumps(answer).encode()])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        file = Gio.File.new_for_path(f"{INSIDE}/driver/other.json")
        done = call("backend", action="connect", address=f"127.0.0.1:{port}", key_file=file)
        assert done.status == SUCCESS, done.error
        picture = image()
        source = layer(picture)
        refused(EXECUTION, "versions that do not fit", "stylize", picture, [source], style=STYLE)
    finally:
        answers.set()
        thread.join()
        router.close()
        context.term()
        assert call("backend", action="connect").status == SUCCESS
    stylize(source)
