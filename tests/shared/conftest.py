"""The wire's tests share their parts, which lie beside the server's tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "backend" / "server"))

from wire_parts import client, context, home, server  # noqa: F401
