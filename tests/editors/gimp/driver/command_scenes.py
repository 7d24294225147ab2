"""The other commands, and the documented script."""

import json
import os
import time
from pathlib import Path

from tools import (
    CALLING,
    EXECUTION,
    INSIDE,
    REPLACE,
    STYLE,
    SUCCESS,
    Gimp,
    Gio,
    bounds,
    call,
    image,
    layer,
    refused,
    scenario,
    settings_of,
    stylize,
)


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
    kept = settings_of(done.layer)
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
def what_the_backend_procedure_cannot_do_is_refused():
    for given, words in (
        ({"action": "fetch-model"}, "No model is named"),
        ({"action": "fetch-model", "model": "no-such-model"}, "model"),
        ({"action": "remove-model", "model": "no-such-model"}, "model"),
        ({"action": "connect", "address": "nowhere here"}, "key file"),
    ):
        done = call("backend", **given)
        assert done.status in (CALLING, EXECUTION) and words in done.error, (given, done.error)
    missing = Gio.File.new_for_path(f"{INSIDE}/nowhere.json")
    done = call("backend", action="connect", address="studio.local:5599", key_file=missing)
    assert done.status != SUCCESS and "not there" in done.error, done.error
    assert json.loads(call("backend").report)["state"] in ("ready", "busy"), "nothing has changed"


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
    made = stylize_folder.stylize_folder(folder, target, STYLE, strength=0.9, texture=0.2, draft=True)
    assert made == ["a.png", "b.png"] == sorted(each.name for each in target.iterdir())
    assert (folder / "a.png").read_bytes() != (target / "a.png").read_bytes()


def standing_by(patience):
    until = time.monotonic() + patience
    while time.monotonic() < until:
        with open("/proc/net/unix") as stream:
            if f"@scumble-gimp-{os.getuid()}-{os.getppid()}-" in stream.read():
                return True
        time.sleep(0.1)
    return False


#: Before anything was called.
FROM_THE_START = standing_by(30)


@scenario
def where_a_backend_runs_a_process_stands_by_from_gimps_start():
    assert FROM_THE_START


@scenario
def after_the_first_call_a_process_stands_by_for_the_next():
    picture = image()
    source = layer(picture)
    stylize(source)
    assert standing_by(20), "it has loaded everything"
    for strength in (0.25, 1.0):
        done = stylize(source, strength=strength, layer_name="quick")
        assert json.loads(done.report)["warm"] is True
        kept = settings_of(done.layer)
        assert (
            done.layer.get_name().startswith("quick") and kept["regions"][0].get("strength", 1.0) == strength
        )
    refused(CALLING, "No style is chosen", "stylize", picture, [source])
    again = call("backend")
    assert again.status == SUCCESS and json.loads(again.report)["pid"] > 0
