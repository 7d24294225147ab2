"""What the plug-in has to do in GIMP, as sentences; each is a test."""

import json

from tools import *  # noqa: F403


@scenario
def the_new_layer_lies_above_its_source():
    picture = image(64, 48)
    source = layer(picture)
    before = read(source, "R'G'B'A u8")
    picture.select_rectangle(REPLACE, 10, 8, 30, 20)
    done = stylize(source)
    assert [each.get_name() for each in picture.get_layers()] == [done.layer.get_name(), "picture"]
    assert done.layer.get_name() == "night swirls (partial-conv)"
    assert bounds(done.layer) == (10, 8, 30, 20)
    assert read(source, "R'G'B'A u8") == before
    assert Gimp.Selection.bounds(picture)[2:] == (10, 8, 40, 28)
    painted = read(done.layer, "R'G'B'A u8")
    assert max(painted[3::4]) == 255 and painted[:3] != before[:3]
    report = json.loads(done.report)
    assert report["size"] == [30, 20]
    return report
