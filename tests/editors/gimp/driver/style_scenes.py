"""Styles from everywhere, and the options of engines."""

import os

from tools import (
    INSIDE,
    Gimp,
    Gio,
    image,
    layer,
    read,
    scenario,
    stylize,
)


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
