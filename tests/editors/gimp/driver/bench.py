"""How long a call takes, from calling to the layer, and what of it is whose."""

import json
import os
import sys

sys.path.insert(0, "/scumble/driver")
import tools
from tools import (
    RGB,
    Gimp,
    image,
    layer,
    stylize,
    write,
)

sides = [int(side) for side in os.environ["SIDES"].split()]
found = []
stylize(layer(image()))  # the backend's first job loads its network
for side in sides:
    picture = Gimp.Image.new(side, side, RGB)
    source = Gimp.Layer.new(
        picture, "source", side, side, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL
    )
    row = bytes((x * 13 + c * 50) % 256 for x in range(side) for c in range(3))
    write(source, row * side)
    picture.insert_layer(source, None, 0)
    for _ in range(int(os.environ["TIMES"])):
        done = stylize(source)
        found.append({"side": side, "seconds": done.seconds, "report": json.loads(done.report)})
        picture.remove_layer(done.layer)
    picture.delete()
with open(tools.REPORT, "w") as stream:
    json.dump({"runs": found}, stream)
