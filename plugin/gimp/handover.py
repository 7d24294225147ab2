"""A call of a procedure, handed to a process that is ready for it.

GIMP starts the plug-in anew for each call, and a quarter of a second goes by until Python has loaded GIMP's
libraries and ours.  So a second process stays behind that has them (:mod:`.standby`).
This one, which GIMP has started, then only passes on what it got, and ends as that one
does: GIMP may also end it at any time.  On Linux; elsewhere, and with ``SCUMBLE_STANDBY=no`` in the
environment, every call loads everything.

Nothing is imported here but what costs nothing.
"""

from __future__ import annotations

import os
import sys

#: What GIMP gives a plug-in: its name, "-gimp", a version, two handles, "-run" or another mode, and more.
READ, WRITE, MODE = 3, 4, 5
RUN, INIT = "-run", "-init"
#: "The call is mine."
TAKEN = b"+"
_PATIENCE_S = 2.0


def mode(argv: list[str]) -> str:
    """What GIMP wants, where a process may stand by for it; ``""`` where none may."""
    if os.environ.get("SCUMBLE_STANDBY") == "no" or not sys.platform.startswith("linux"):
        return ""
    return argv[MODE] if len(argv) > MODE else ""


def address(folder: str, gimp: int) -> bytes:
    """Where the ready process listens: one for each user, GIMP, and installed plug-in.

    :param gimp: the process of GIMP.
    :raises OSError: if this is no installed plug-in.
    """
    mark = os.stat(os.path.join(folder, "scumble-plugin.json"))
    return f"\0scumble-gimp-{os.getuid()}-{gimp}-{mark.st_ino:x}-{mark.st_mtime_ns:x}".encode()


def packed(argv: list[str]) -> bytes:
    """What a call is, but for its handles: arguments and environment."""
    environment = (name + b"=" + value for name, value in os.environb.items())
    words = b"\0".join([*map(os.fsencode, argv), b"", *environment])
    return len(words).to_bytes(4, "big") + words


def hand_over(folder: str) -> int | None:
    """The exit status once the call is over; ``None`` if nobody took it, and it is to be done here."""
    if mode(sys.argv) != RUN:
        return None
    import _socket  # what "socket" adds to it takes a while to load

    try:
        other = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        other.settimeout(_PATIENCE_S)
        other.connect(address(folder, os.getppid()))
        if other.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)[4:8] != os.getuid().to_bytes(
            4, sys.byteorder
        ):
            return None
        pipes = [int(sys.argv[READ]), int(sys.argv[WRITE])]
        handles = b"".join(n.to_bytes(4, sys.byteorder) for n in (*pipes, 1, 2))
        data = packed(sys.argv)
        sent = other.sendmsg([data], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, handles)])
        other.sendall(data[sent:])
        if other.recv(1) != TAKEN:
            return None
    except (OSError, ValueError):
        return None
    for pipe in pipes:
        os.close(pipe)
    other.settimeout(None)
    try:
        status = other.recv(1)
    except OSError:
        status = b""
    return status[0] if status else 1
