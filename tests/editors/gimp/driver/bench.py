"""How long a call takes, from calling to the layer, and what of it is whose."""

import json
import os
import sys
import time

sys.path.insert(0, "/scumble/driver")
import tools
from tools import RGB, Gimp, image, layer, stylize, write


def empty(source):
    """Seconds of a call of a plug-in that does nothing."""
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-empty")
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", source.get_image())
    config.set_core_object_array("drawables", [source])
    began = time.monotonic()
    procedure.run(config)
    return time.monotonic() - began


sides = [int(side) for side in os.environ["SIDES"].split()]
found = []
stylize(layer(image()))  # the backend's first job loads its network, and a process stands by after it
time.sleep(float(os.environ.get("REST", "3")))
for side in sides:
    picture = Gimp.Image.new(side, side, RGB)
    source = Gimp.Layer.new(
        picture, "source", side, side, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL
    )
    row = bytes((x * 13 + c * 50) % 256 for x in range(side) for c in range(3))
    write(source, row * side)
    picture.insert_layer(source, None, 0)
    for _ in range(int(os.environ["TIMES"])):
        time.sleep(0.5)  # the last plug-in's process is still being taken apart
        done = stylize(source)
        over, report = time.monotonic(), json.loads(done.report)
        run = {"side": side, "seconds": done.seconds, "over": over, "report": report}
        time.sleep(0.5)
        found.append({**run, "empty": empty(source)})
        picture.remove_layer(done.layer)
    picture.delete()
with open(tools.REPORT, "w") as stream:
    json.dump({"runs": found}, stream)
