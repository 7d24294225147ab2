"""The process that is ready for the next call, see :mod:`.handover`.

It is split off in the first call, before any thread is there (or when GIMP starts, :func:`prepare`), waits
until that is over, and loads everything.  Then it splits again: the spare process that this makes waits
for a call, does it and ends, and soon after it has got one, the next spare is made, so that no call waits
for that.  The first one remains and looks after them all: when GIMP's Cancel ends a call, it tells the
backend.  It ends with GIMP, when the plug-in is installed anew, and when nobody has wanted it for half an
hour.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from . import handover, sentry

#: As long as the backend waits before it ends itself; between looks at GIMP; for a caller to speak.
_IDLE_S, _LOOK_S, _PATIENCE_S = 1800.0, 3.0, 2.0
#: Until the next spare is made, unless a call comes: making it slows down the one that has just come.
_SOON_S = 0.5
#: Handles are moved up here before they get their places.
_UP = 200
_LONGEST = 1 << 20


def prepare(
    folder: str,
    load: Callable[[int], object],
    run: Callable[[int], object],
    cancel: Callable[[str], object],
) -> None:
    """In a process that GIMP has started: let the next call be quicker.

    :param folder: the installed plug-in's.
    :param load: imports what a call needs; given GIMP's process; starts no thread.
    :param run: does a call, given the same, once arguments, handles and environment are in place.
    :param cancel: tells the backend that nobody waits for a job any more.
    """
    with contextlib.suppress(OSError):
        gimp = os.getppid()
        end, mine = os.pipe()  # "mine" closes when this process ends
        child = os.fork()
        if child:
            os.close(end)
            return
        os.close(mine)
        _stand(end, lambda: load(gimp), lambda: _Keeper(folder, gimp, run, cancel).serve())


def _stand(end: int, load: Callable[[], object], serve: Callable[[], None]) -> NoReturn:
    """The other process."""
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
        gc.collect()
        if len(os.listdir("/proc/self/task")) == 1:  # with threads, splitting is not safe
            serve()
    except BaseException:
        os._exit(1)
    os._exit(0)


class _Keeper:
    """Keeps a spare process, and an ear for those that are at work."""

    def __init__(
        self, folder: str, gimp: int, run: Callable[[int], object], cancel: Callable[[str], object]
    ) -> None:
        self._folder, self._gimp, self._run, self._cancel = folder, gimp, run, cancel
        self._place, self._born = handover.address(folder, gimp), _born(gimp)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        #: What each process has said, by the handle that it comes from.
        self._said: dict[int, bytes] = {}
        self._spare = -1
        self._stay, self._life = os.pipe()  # "life" closes when this process ends

    def serve(self) -> None:
        """Until nobody needs it any more."""
        self._listener.bind(self._place)
        self._listener.listen(8)
        self._split()
        due, wanted = 0.0, time.monotonic()
        while len(self._said) > (self._spare >= 0) or (
            time.monotonic() - wanted < _IDLE_S and self._needed()
        ):
            ears, patience = [*self._said], _LOOK_S
            if self._spare < 0:  # then this process listens to callers, too
                ears.append(self._listener.fileno())
                patience = max(0.0, due - time.monotonic())
            ready = select.select(ears, [], [], patience)[0]
            for handle in self._said.keys() & set(ready):
                said = os.read(handle, 4096)
                wanted = time.monotonic()
                if handle == self._spare:
                    self._spare, due = -1, wanted + _SOON_S
                if said:
                    self._said[handle] = (self._said[handle] + said)[-4096:]
                else:
                    self._gone(handle)
            if self._spare < 0 and (self._listener.fileno() in ready or time.monotonic() >= due):
                if not self._needed():
                    return  # those at work have nobody to look after them: the backend finds out itself
                self._split()

    def _working(self) -> bool:
        return len(self._said) > (self._spare >= 0)

    def _needed(self) -> bool:
        try:
            there = handover.address(self._folder, self._gimp)
        except OSError:
            return False
        return there == self._place and bool(self._born) and _born(self._gimp) == self._born

    def _gone(self, handle: int) -> None:
        """A process has ended; if it had a job, and had not said that all is well, the user has cancelled."""
        os.close(handle)
        job = sentry.last_word(self._said.pop(handle))
        if job and os.fork() == 0:
            with contextlib.suppress(BaseException):
                self._cancel(job)
            os._exit(0)

    def _split(self) -> None:
        """Make a spare process."""
        ear, mouth = os.pipe()
        if os.fork():
            os.close(mouth)
            self._spare = ear
            self._said[ear] = b""
            return
        try:
            for handle in (ear, self._life, *self._said):
                os.close(handle)
            _own_wakers()
            # Looking at everything makes it this process's own, which a call would wait for: a page of
            # memory that is shared is copied when it is first written to.
            gc.collect()
            gc.freeze()
            caller, words, handles = self._wait()
            os.write(mouth, b"+\n")
            os.close(self._stay)
            self._listener.close()
            _call(caller, words, handles, mouth, lambda: self._run(self._gimp))
        except BaseException:
            os._exit(1)

    def _wait(self) -> tuple[socket.socket, list[bytes], list[int]]:
        """The next call; ends the process if there will be none."""
        while True:
            ready = select.select([self._listener.fileno(), self._stay], [], [])[0]
            if self._stay in ready:
                os._exit(0)
            caller, _ = self._listener.accept()
            caller.settimeout(_PATIENCE_S)
            try:
                found = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                if found[1] == os.getuid():
                    return caller, *receive(caller)
            except (OSError, ValueError):
                pass
            caller.close()


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
    caller: socket.socket, words: list[bytes], handles: list[int], mouth: int, run: Callable[[], object]
) -> NoReturn:
    """Become the plug-in that GIMP has started."""
    status = 1
    try:
        import fcntl

        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        line = fcntl.fcntl(caller.fileno(), fcntl.F_DUPFD_CLOEXEC, _UP)
        high = [fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, _UP) for handle in handles]
        sentry.keeper = fcntl.fcntl(mouth, fcntl.F_DUPFD_CLOEXEC, _UP)
        split = words.index(b"")
        sys.argv = [os.fsdecode(word) for word in words[:split]]
        _environment(words[split + 1 :])
        for old in (*handles, caller.detach(), mouth):
            os.close(old)
        os.set_blocking(line, True)  # a timeout had made it otherwise
        places = (int(sys.argv[handover.READ]), int(sys.argv[handover.WRITE]), 1, 2)
        for handle, there in zip(high, places, strict=True):
            os.dup2(handle, there, inheritable=there < 3)
            os.close(handle)
        os.write(line, handover.TAKEN)
        threading.Thread(target=_watch, args=(line,), daemon=True).start()
        run()
        status = 0
        os.write(line, bytes([status]))
    except BaseException:
        os._exit(1)
    os._exit(status)


def _environment(words: list[bytes]) -> None:
    """Make it the caller's."""
    given = {}
    for word in words:
        name, _, value = word.partition(b"=")
        given[name] = value
    for name in [name for name in os.environb if name not in given]:
        del os.environb[name]
    for name, value in given.items():
        if os.environb.get(name) != value:
            os.environb[name] = value


def _own_wakers() -> None:
    """GLib's main loop was there before the split, and what wakes it must not wake another process's."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}") == "anon_inode:[eventfd]":
                fresh = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                os.dup2(fresh, int(name), inheritable=False)
                os.close(fresh)


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
