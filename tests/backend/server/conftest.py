"""The wire's tests share their parts, which lie in this folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from wire_parts import client, context, home, server  # noqa: F401
