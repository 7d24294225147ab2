"""What needs windows: undo as the user does it, the dialogs, with pictures of them, mouse and keys."""

import os
import sys

sys.path.insert(0, "/scumble/driver")
import tools

for name in os.environ.get("SCENES", "dialog living").split():
    __import__(f"{name}_scenes")

tools.run(os.environ.get("SCENARIO", ""))
