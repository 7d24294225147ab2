"""Selections by the subject and by points."""

import json

from tools import (
    CALLING,
    REPLACE,
    STYLE,
    SUCCESS,
    Gimp,
    call,
    image,
    layer,
    read,
    refused,
    scenario,
    write,
)


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


def two_discs():
    """A red and a yellow disc on blue, and what lies where."""
    picture = image(160, 90)
    source = layer(picture, 160, 90, alpha=False)
    data = bytearray()
    for y in range(90):
        for x in range(160):
            if (x - 40) ** 2 + (y - 45) ** 2 < 24**2:
                data += bytes((205, 45, 30))
            elif (x - 118) ** 2 + (y - 45) ** 2 < 24**2:
                data += bytes((235, 205, 60))
            else:
                data += bytes((30 + x // 10, 80, 140 + y // 8))
    write(source, bytes(data))
    return picture, source


def chosen(item, x, y):
    """How much of a pixel is selected: on the red disc (40, 45), on the yellow one (118, 45), beside them."""
    return read(item, "Y u8")[y * 160 + x]


def path(picture, name, *anchors):
    made = Gimp.Path.new(picture, name)
    picture.insert_path(made, None, 0)
    points = [number for x, y in anchors for number in (x, y, x, y, x, y)]
    made.stroke_new_from_points(Gimp.PathStrokeType.BEZIER, points, False)
    return made


@scenario
def points_select_what_they_lie_on():
    picture, source = two_discs()
    done = call("select-points", picture, [source], points="40,45")
    assert done.status == SUCCESS, done.error
    selection = picture.get_selection()
    assert (
        chosen(selection, 40, 45) > 200 and chosen(selection, 118, 45) < 50 and chosen(selection, 80, 5) < 50
    )
    assert picture.get_channels() == [] and picture.get_selected_layers() == [source]
    done = call("select-points", picture, [source], points="118,45", operation="add")
    assert done.status == SUCCESS, done.error
    assert chosen(selection, 40, 45) > 200 and chosen(selection, 118, 45) > 200
    done = call("select-points", picture, [source], points="40,45", operation="subtract")
    assert done.status == SUCCESS, done.error
    assert chosen(selection, 40, 45) < 50 and chosen(selection, 118, 45) > 200
    return json.loads(done.report)


@scenario
def points_with_a_minus_are_left_out():
    picture, source = two_discs()
    with_both = call("select-points", picture, [source], points="40,45 118,45", result="channel")
    without = call("select-points", picture, [source], points="40,45 118,45,-", result="channel")
    assert with_both.status == without.status == SUCCESS, (with_both.error, without.error)
    assert chosen(with_both.layer, 118, 45) > 200 and chosen(without.layer, 118, 45) < 50
    assert chosen(without.layer, 40, 45) > 200


@scenario
def points_become_a_saved_channel():
    picture, source = two_discs()
    picture.select_rectangle(REPLACE, 5, 5, 20, 20)
    before = list(Gimp.Selection.bounds(picture))
    done = call("select-points", picture, [source], points="118,45", result="channel", channel_name="sun")
    assert done.status == SUCCESS, done.error
    assert [each.get_name() for each in picture.get_channels()] == ["sun"]
    assert done.layer == picture.get_channels()[0] and chosen(done.layer, 118, 45) > 200
    assert list(Gimp.Selection.bounds(picture)) == before
    assert picture.get_selected_layers() == [source], "the layer stays the active one"
    painted = call(
        "stylize-regions",
        picture,
        [source],
        masks="channels",
        regions=f'[{{"mask": "sun", "style": "{STYLE}"}}]',
    )
    assert painted.status == SUCCESS, painted.error


@scenario
def the_anchors_of_paths_are_points():
    picture, source = two_discs()
    wanted, other = path(picture, "wanted", (40, 45), (36, 50)), path(picture, "other", (118, 45))
    done = call("select-points", picture, [source], path=wanted, minus_path=other)
    assert done.status == SUCCESS, done.error
    selection = picture.get_selection()
    assert chosen(selection, 40, 45) > 200 and chosen(selection, 118, 45) < 50
    picture.set_selected_paths([other])
    done = call("select-points", picture, [source])
    assert done.status == SUCCESS, done.error
    assert chosen(selection, 118, 45) > 200 and chosen(selection, 40, 45) < 50, "the selected path's"


@scenario
def points_are_in_pixels_of_the_image_wherever_the_layer_lies():
    picture, source = two_discs()
    source.set_offsets(30, 0)
    done = call("select-points", picture, [source], points="70,45")
    assert done.status == SUCCESS, done.error
    assert chosen(picture.get_selection(), 70, 45) > 200 and chosen(picture.get_selection(), 20, 45) == 0


@scenario
def wrong_points_are_refused():
    picture, source = two_discs()
    name = "select-points"
    refused(CALLING, "No point says what", name, picture, [source])
    refused(CALLING, "cannot be understood", name, picture, [source], points="40,45 here")
    refused(CALLING, "beside the layer", name, picture, [source], points="400,45")
    refused(CALLING, "Nothing says what to select", name, picture, [source], points="40,45,-")
    refused(CALLING, "both wanted and unwanted", name, picture, [source], points="40,45 40,45,-")
    assert Gimp.Selection.is_empty(picture) and picture.get_channels() == []
