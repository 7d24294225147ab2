"""The methods of stylization.

The engine modules are imported by :func:`load`, not by importing this package: they pull in torch,
and the server answers its first clients before that.
"""

from __future__ import annotations

import importlib

#: Engine modules in the order in which editors show them; each registers itself on import.
MODULES = ("partial_conv", "nnst", "semantic")


def load() -> None:
    """Import every engine module; cheap when called again."""
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}")
