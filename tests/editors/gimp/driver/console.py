"""All scenarios that need no window."""

import os
import sys

sys.path.insert(0, "/scumble/driver")
import scenarios  # noqa: F401
import tools

tools.run(os.environ.get("SCENARIO", ""))
