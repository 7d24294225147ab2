"""Finds the pyzmq that fits the Python inside an editor, among those that the installer put beside it.

The installed plug-in's folder (``root``) has a ``vendor`` folder with one folder for each pair of Python
and system, each of them the unpacked pyzmq wheel for it::

    vendor/cp310-linux-x86_64/zmq/...       for Python 3.10 alone
    vendor/abi312-windows-x86_64/zmq/...    for Python 3.12 and every later one (the stable ABI)

An entry file needs two lines, before anything of Scumble's that imports ``zmq``::

    sys.path.insert(0, str(root / "lib"))
    trouble = vendor.activate(root)         # "" or a sentence to show

This module runs before it is known whether Python is new enough, so it is written for 3.8.
"""

from __future__ import annotations

import platform
import sys
import sysconfig
from pathlib import Path

#: The oldest Python that Scumble's plug-ins run in.
OLDEST = (3, 10)
#: The first Python whose stable ABI pyzmq's wheels are made for.
_FIRST_ABI = 12
_MACHINES = {"amd64": "x86_64", "x86-64": "x86_64", "x64": "x86_64", "aarch64": "arm64"}


def platform_name() -> str:
    """This system as the folders are named: ``linux-x86_64``, ``windows-arm64``, ``macos``, ...

    macOS has one build for both processors.  A Python made with MinGW (GIMP's on Windows) cannot load
    what is made for Windows' usual one and has a name of its own, ``mingw-...``.
    """
    built_for = sysconfig.get_platform().lower().replace("_", "-")
    if sys.platform == "darwin":
        return "macos"
    if built_for.startswith("mingw"):
        return built_for
    # What Python was built for, not what the kernel runs: a 32-bit Python may run on a 64-bit system.
    machine = built_for.partition("-")[2] or platform.machine().lower()
    if built_for == "win32":
        machine = "x86"
    machine = _MACHINES.get(machine, machine.replace("x86-64", "x86_64"))
    return f"{'windows' if sys.platform == 'win32' else 'linux'}-{machine}"


def names(version: tuple[int, int] | None = None, system: str = "") -> list[str]:
    """The folders that would do, best first.

    :param version: (major, minor) of the Python; this one's by default.
    :param system: as :func:`platform_name` says; this one's by default.
    """
    major, minor = version or sys.version_info[:2]
    system = system or platform_name()
    if version is None and sysconfig.get_config_var("Py_GIL_DISABLED"):
        return [f"cp{major}{minor}t-{system}"]  # the stable ABI is not for these
    exact = [f"cp{major}{minor}-{system}"]
    return exact + [f"abi{major}{m}-{system}" for m in range(minor, _FIRST_ABI - 1, -1)]


def choose(root: Path) -> Path | None:
    """The folder to put on ``sys.path``, or None if no pyzmq that came along fits this Python.

    :param root: the installed plug-in's folder, which has ``vendor``.
    """
    vendor = Path(root) / "vendor"
    for name in names():
        if (vendor / name / "zmq" / "__init__.py").is_file():
            return vendor / name
    return vendor if (vendor / "zmq" / "__init__.py").is_file() else None


def activate(root: Path) -> str:
    """Make ``import zmq`` work.

    :return: ``""``, or what is wrong and what to do, for people.  It never raises.
    """
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if sys.version_info < OLDEST:
        return (
            f"Scumble needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and this program comes with {here}. "
            "Use a newer version of the program."
        )
    chosen = choose(root)
    if chosen is not None and str(chosen) not in sys.path:
        sys.path.insert(0, str(chosen))
    try:
        import zmq  # noqa: F401
    except Exception as error:  # a library that is there and does not load says so in many ways
        if chosen is None:
            return (
                f"Scumble was installed without a pyzmq for this program's Python ({here}, "
                f"{platform_name()}). Run: python3 -m installer doctor, which says what to do."
            )
        return (
            f"Scumble's pyzmq cannot be loaded ({type(error).__name__}). Install the plug-in again, "
            "or run: python3 -m installer doctor, which says what to do."
        )
    return ""
