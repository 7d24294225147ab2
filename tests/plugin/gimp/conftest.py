"""What needs no GIMP is tested here, with the server's parts; the rest is in ``tests/editors/gimp``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "backend" / "server"))

from wire_parts import home  # noqa: F401
