"""The command ``scumble``: one module a command, imported when it is asked for."""

from __future__ import annotations

from .app import main

__all__ = ["main"]
