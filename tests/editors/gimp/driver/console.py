"""All scenarios that need no window, those that end backends last."""

import os
import sys

sys.path.insert(0, "/scumble/driver")
import tools

for name in ("painting", "format", "style", "option", "region", "selecting", "command", "refusal", "trouble"):
    __import__(f"{name}_scenes")

tools.run(os.environ.get("SCENARIO", ""))
