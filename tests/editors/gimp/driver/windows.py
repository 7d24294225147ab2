"""What needs windows: undo as the user does it, and the dialogs, with pictures of them."""

import os
import sys

sys.path.insert(0, "/scumble/driver")
import tools  # noqa: E402
import dialogs  # noqa: E402, F401

tools.run(os.environ.get("SCENARIO", ""))
