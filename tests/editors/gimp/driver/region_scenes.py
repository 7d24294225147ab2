"""Several parts at once, each in its own style."""

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
    with_group,
    write,
)


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
    kept = settings_of(done.layer)
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
