"""All scenarios that need no window."""

import os
import sys

sys.path.insert(0, "/scumble/driver")
import scenarios  # noqa: E402, F401
import tools  # noqa: E402

tools.run(os.environ.get("SCENARIO", ""))
