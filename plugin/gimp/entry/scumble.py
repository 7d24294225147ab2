#!/usr/bin/env python3
"""Scumble's plug-in for GIMP 3: puts what lies beside this file on Python's path and starts it."""

import os
import sys
from pathlib import Path

_HERE = Path(os.path.realpath(__file__)).parent
# Before this file's own folder, in which "scumble" would be this file.
sys.path.insert(0, str(_HERE / "lib"))

from scumble.plugin.common import vendor  # noqa: E402

# Not loaded yet: GIMP asks at each start what there is, and that needs no connection.
_chosen = vendor.choose(_HERE)
if _chosen is not None:
    sys.path.insert(0, str(_chosen))

from scumble.plugin.gimp import main  # noqa: E402

main.run(_HERE)
