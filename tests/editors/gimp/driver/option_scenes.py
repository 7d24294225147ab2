"""Each option of each engine is an argument of its own, from the first start of GIMP on."""

import json
import os

from tools import (
    CALLING,
    EXECUTION,
    INSIDE,
    REPLACE,
    STYLE,
    SUCCESS,
    Gimp,
    GObject,
    bounds,
    call,
    image,
    layer,
    read,
    refused,
    scenario,
    settings_of,
    stylize,
    with_group,
)

KINDS = {"float": "GParamDouble", "int": "GParamInt", "bool": "GParamBoolean", "choice": "GimpParamChoice"}


def procedure(name):
    found = Gimp.get_pdb().lookup_procedure(f"plug-in-scumble-{name}")
    assert found is not None, f"{name} is not there"
    return found


def engines():
    told = json.loads(call("backend", action="describe").report)["engines"]
    return {engine["name"]: engine for engine in told}


def arguments(name):
    return {each.name: each for each in procedure(name).get_arguments()}


def painted(source, **given):
    return read(stylize(source, **given).layer, "R'G'B'A u8")


@scenario
def everything_is_in_the_menu_right_after_installing():
    """This is the first start of GIMP in this home, and it had asked nobody when it registered commands."""
    for name in ("stylize", "stylize-regions", "brushwork", "select-subject", "select-points", "repeat-last"):
        assert procedure(name).get_menu_paths() == ["<Image>/Filters/Scumble"], name
        assert procedure(name).get_menu_label(), name


@scenario
def each_option_is_an_argument_with_type_range_default_and_help():
    count = 0
    for name, chosen in (("stylize", None), ("stylize-regions", None), ("brushwork", "nnst")):
        there = arguments(name)
        for number, engine in enumerate(
            e for e in engines().values() if (e["name"] == "nnst") == bool(chosen)
        ):
            for option in engine["options"]:
                plain = option["name"].replace("_", "-")
                spec = there.get(f"{engine['name']}-{plain}" if number else plain)
                assert spec is not None, (name, engine["name"], option["name"], sorted(there))
                assert spec.nick == option["label"] and option["help"] in spec.blurb, (
                    spec.nick,
                    spec.blurb,
                    option,
                )
                kind = GObject.type_name(spec)
                assert kind == KINDS.get(option["kind"], "GParamString"), (kind, option)
                assert spec.get_default_value() == option["default"], option
                if option["kind"] in ("float", "int"):
                    assert (spec.minimum, spec.maximum) == (option["minimum"], option["maximum"]), option
                count += 1
    assert count > 40
    return count


@scenario
def options_as_arguments_do_what_they_do_in_options():
    picture = image()
    source = layer(picture, alpha=False)
    plain = painted(source)
    one = painted(source, texture=0.0, match_color=0.1)
    assert one == painted(source, options="texture=0, match_color=0.1") != plain
    done = stylize(source, draft=True, style_scale=2.0, transform="transport", model="compact")
    kept = settings_of(done.layer)
    assert kept["options"] == {"draft": True, "style_scale": 2.0}, "only what differs is sent"
    last_word = painted(source, texture=1.0, match_color=0.1, options="texture=0")
    assert last_word == one


@scenario
def options_of_another_engine_have_its_name_before_them():
    picture = image()
    source = layer(picture, alpha=False)
    done = stylize(source, engine="semantic", semantic_parts=2, semantic_texture=0.2)
    kept = settings_of(done.layer)
    assert kept["engine"] == "semantic" and kept["options"] == {"parts": 2, "texture": 0.2}
    refused(
        CALLING, "option of the engine semantic", "stylize", picture, [source], style=STYLE, semantic_parts=2
    )


@scenario
def regions_take_options_as_arguments_too():
    picture, source, group = with_group()
    given = {"group": group, "regions": '[{"mask": "*", "style": "etching-street"}]'}
    looks = []
    for more in ({"texture": 0.0}, {"options": "texture=0"}, {}):
        done = call("stylize-regions", picture, [source], **given, **more)
        assert done.status == SUCCESS, done.error
        looks.append(read(done.layer, "R'G'B'A u8"))
        picture.remove_layer(done.layer)
    assert looks[0] == looks[1] != looks[2]


@scenario
def brushwork_paints_with_its_own_options():
    picture = image()
    source = layer(picture, alpha=False)
    picture.select_rectangle(REPLACE, 8, 8, 40, 32)
    done = call("brushwork", picture, [source], style=STYLE, keep_content=0.8, finish=0, colour="guided")
    if done.status != SUCCESS:
        assert done.status == EXECUTION and "nstall" in done.error, done.error
        return done.error
    assert bounds(done.layer) == (8, 8, 40, 32) and "nnst" in done.layer.get_name()
    kept = settings_of(done.layer)
    assert kept["options"] == {"keep_content": 0.8, "finish": 0, "colour": "guided"}
    return done.seconds


@scenario
def an_option_out_of_its_range_never_reaches_the_engine():
    """GIMP itself keeps typed arguments within their range; in options they are refused."""
    config = procedure("stylize").create_config()
    config.set_property("texture", 7.0)
    assert config.get_property("texture") <= 1.0
    picture = image()
    source = layer(picture)
    refused(CALLING, "cannot be", "stylize", picture, [source], style=STYLE, options="texture=7")


@scenario
def what_was_declared_holds_until_gimp_is_started_again():
    """The backend may learn an option while GIMP runs: calls still have the arguments that GIMP knows."""
    file = f"{INSIDE}/state/description.json"
    with open(file) as stream:
        before = stream.read()
    data = json.loads(before)
    new = {**data["engines"][0]["options"][0], "name": "a_new_one", "label": "New"}
    data["engines"][0]["options"].insert(0, new)
    try:
        with open(file, "w") as stream:
            json.dump(data, stream)
        os.utime(file, (2**31, 2**31))
        picture = image()
        source = layer(picture, alpha=False)
        done = stylize(source, texture=0.25, layer_name="mine", seed=5)
        kept = settings_of(done.layer)
        assert done.layer.get_name() == "mine" and kept["options"] == {"texture": 0.25} and kept["seed"] == 5
    finally:
        with open(file, "w") as stream:
            stream.write(before)
