"""The plugins' tests share a scripted backend, which lies in this folder, and the server's parts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "backend" / "server"))

from scripted import backend, drive  # noqa: F401
from wire_parts import home  # noqa: F401
