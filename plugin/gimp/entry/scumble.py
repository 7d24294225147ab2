#!/usr/bin/env python3
"""Scumble's plug-in for GIMP 3: puts what lies beside this file on Python's path and starts it."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
# Before this file's own folder, in which "scumble" would be this file.
sys.path.insert(0, os.path.join(HERE, "lib"))

from scumble.plugin.gimp import handover  # noqa: E402

status = handover.hand_over(HERE)
if status is not None:
    os._exit(status)

from scumble.plugin.gimp import main  # noqa: E402

main.run(HERE)
