"""What a call gives: the new layer, where it lies, and what stays as it is."""

import json

from tools import (
    REPLACE,
    STYLE,
    SUCCESS,
    Gimp,
    bounds,
    call,
    image,
    layer,
    native,
    read,
    scenario,
    settings_of,
    stylize,
    write,
)


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
    kept = settings_of(done.layer)
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
