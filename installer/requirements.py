"""Reads from ``setup.cfg`` what has to be installed."""

from __future__ import annotations

import configparser
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path


def _config(root: Path) -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    config.read(root / "setup.cfg", encoding="utf-8")
    return config


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def requirements(root: Path, extras: Sequence[str] = ()) -> list[str]:
    """The run-time requirements and those of the extras.

    :raises KeyError: for an extra that there is not.
    """
    config = _config(root)
    found = _lines(config["options"]["install_requires"])
    for extra in extras:
        found += _lines(config["options.extras_require"][extra])
    return list(dict.fromkeys(found))


def extras(root: Path) -> list[str]:
    """Names of the extras there are."""
    return list(_config(root)["options.extras_require"])


def pinned(root: Path, name: str) -> str:
    """``name==version`` as the constraints say, or the bare name."""
    for line in _lines((root / "constraints.txt").read_text(encoding="utf-8")):
        if line.partition("==")[0].strip().lower() == name.lower():
            return line.partition(";")[0].strip()
    return name


def key(root: Path, wanted: Sequence[str]) -> str:
    """Changes whenever the environment would have to: requirements, pins or Python."""
    parts = [
        *sorted(wanted),
        (root / "constraints.txt").read_text(encoding="utf-8"),
        ".".join(map(str, sys.version_info[:2])),
        sys.platform,
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def project_key(root: Path) -> str:
    """Changes whenever the project itself has to be installed again: its setup, or its place."""
    parts = [str(root), (root / "setup.cfg").read_text(encoding="utf-8")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
