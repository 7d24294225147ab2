"""The process that is ready for the next call, see :mod:`.handover`.

It is split off in the first call, before any thread is there, waits until that is over, loads everything,
and splits again for each call that comes.  It ends with GIMP, when the plug-in is installed anew, and when
nobody has wanted it for a quarter of an hour.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable

from . import handover

_IDLE_S, _LOOK_S, _PATIENCE_S = 900.0, 3.0, 2.0
#: Handles are moved up here before they get their places.
_UP = 200
_LONGEST = 1 << 20


def prepare(folder: str, load: Callable[[], object], run: Callable[[int], object]) -> None:
    """In a call that nobody was ready for: let the next one be quicker.

    :param folder: the installed plug-in's.
    :param load: imports what a call needs; starts no thread.
    :param run: does a call with GIMP's process, once arguments, handles and environment are in place.
    """
    if not handover.is_call(sys.argv):
        return
    with contextlib.suppress(OSError):
        gimp = os.getppid()
        end, mine = os.pipe()  # "mine" closes when this process ends
        child = os.fork()
        if child:
            os.close(end)
            return
        os.close(mine)
        _stand(folder, gimp, end, load, run)


def _stand(
    folder: str, gimp: int, end: int, load: Callable[[], object], run: Callable[[int], object]
) -> None:
    """The other process; it never returns."""
    try:
        os.setsid()  # GIMP ends a plug-in with its group
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        keep = os.dup2(end, 3)
        os.closerange(4, min(os.sysconf("SC_OPEN_MAX"), 1 << 16))
        os.read(keep, 1)
        os.close(keep)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets those that end
        load()
        if len(os.listdir("/proc/self/task")) == 1:  # with threads, splitting is not safe
            _serve(folder, gimp, run)
    except BaseException:
        os._exit(1)
    os._exit(0)


def _serve(folder: str, gimp: int, run: Callable[[int], object]) -> None:
    place, born = handover.address(folder, gimp), _born(gimp)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(place)
        listener.listen(8)
        wanted = time.monotonic()
        while time.monotonic() - wanted < _IDLE_S and born and _born(gimp) == born:
            if handover.address(folder, gimp) != place:
                return
            if select.select([listener], [], [], _LOOK_S)[0]:
                caller, _ = listener.accept()
                with caller:
                    if _take(caller, listener, gimp, run):
                        wanted = time.monotonic()


def _take(caller: socket.socket, listener: socket.socket, gimp: int, run: Callable[[int], object]) -> bool:
    """One call; whether it was one."""
    caller.settimeout(_PATIENCE_S)
    try:
        _, user, _ = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if user != os.getuid():
            return False
        words, handles = receive(caller)
    except (OSError, ValueError):
        return False
    if os.fork() == 0:
        listener.close()
        _call(caller, words, handles, gimp, run)
    for handle in handles:
        os.close(handle)
    return True


def receive(caller: socket.socket) -> tuple[list[bytes], list[int]]:
    """What :func:`.handover.packed` made, and the handles that came with it.

    :raises OSError: the caller is gone.
    :raises ValueError: it says something else.
    """
    data, handles, _, _ = socket.recv_fds(caller, 1 << 16, 8)
    try:
        length = int.from_bytes(data[:4], "big")
        if len(data) < 4 or length > _LONGEST or len(handles) != 4:
            raise ValueError("not a call")
        while len(data) < length + 4:
            more = caller.recv(length + 4 - len(data))
            if not more:
                raise ValueError("half a call")
            data += more
    except BaseException:
        for handle in handles:
            os.close(handle)
        raise
    return data[4:].split(b"\0"), handles


def _call(
    caller: socket.socket, words: list[bytes], handles: list[int], gimp: int, run: Callable[[int], object]
) -> None:
    """In the split-off process: become the plug-in that GIMP has started; never returns."""
    status = 1
    try:
        import fcntl

        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        line = fcntl.fcntl(caller.fileno(), fcntl.F_DUPFD_CLOEXEC, _UP)
        high = [fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, _UP) for handle in handles]
        split = words.index(b"")
        sys.argv = [os.fsdecode(word) for word in words[:split]]
        os.environb.clear()
        for word in words[split + 1 :]:
            name, _, value = word.partition(b"=")
            os.environb[name] = value
        for old in {*handles, caller.fileno()}:
            os.close(old)
        caller.detach()
        os.set_blocking(line, True)  # a timeout had made it otherwise
        places = (int(sys.argv[handover.READ]), int(sys.argv[handover.WRITE]), 1, 2)
        for handle, there in zip(high, places, strict=True):
            os.dup2(handle, there, inheritable=there < 3)
            os.close(handle)
        os.write(line, handover.TAKEN)
        threading.Thread(target=_watch, args=(line,), daemon=True).start()
        run(gimp)
        status = 0
        os.write(line, bytes([status]))
    except BaseException:
        os._exit(1)
    os._exit(status)


def _watch(line: int) -> None:
    """GIMP has ended the process that stands for this one: the user has cancelled."""
    with contextlib.suppress(OSError):
        os.read(line, 1)
    os._exit(1)


def _born(process: int) -> str:
    """When a process was started, ``""`` if it is none any more; ids are used again."""
    try:
        with open(f"/proc/{process}/stat") as stream:
            fields = stream.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
