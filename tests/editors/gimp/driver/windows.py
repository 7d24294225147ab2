"""What needs windows: undo as the user does it, and the dialogs, with pictures of them."""

import os
import sys

sys.path.insert(0, "/scumble/driver")
import dialog_scenes  # noqa: F401
import living_scenes  # noqa: F401
import tools

tools.run(os.environ.get("SCENARIO", ""))
