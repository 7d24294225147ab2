"""A Debian 13 root with GIMP 3 (and Krita 5.2) in it, for tests on systems that have none.

    python tests/editors/trixie.py             makes it, if it is not there yet, and says where it is
    python tests/editors/trixie.py COMMAND...  runs a command in it

It is made once, with ``debootstrap`` from the Debian mirror that this machine uses anyway, and kept in
``$SCUMBLE_TRIXIE_ROOT``, or in the cache folder as ``scumble-tests/trixie``: 750 MB, two to three minutes.
Commands run with ``chroot`` in a mount namespace of their own, so no mount outlives them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SUITE = "trixie"
PACKAGES = (
    "gimp",
    "gir1.2-gimp-3.0",
    "gir1.2-gtk-3.0",
    "python3-gi",
    "python3-gi-cairo",
    "python3-zmq",
    "xvfb",
    "xauth",
    "xdotool",
    "imagemagick",
    "fonts-dejavu-core",
    "dbus",
)
MARK = "scumble-root.json"
_TOOLS = ("debootstrap", "chroot", "unshare", "mount")
_MAKING_S, _INSTALLING_S = 900, 1500


class Unavailable(Exception):
    """There can be no such root here; the text says why."""


@dataclass(frozen=True)
class Done:
    """How a command ended; 124 if it took too long."""

    returncode: int
    output: str


@dataclass(frozen=True)
class Root:
    """A root that is ready.

    :param folder: where it lies.
    """

    folder: Path

    def run(
        self,
        command: Sequence[str],
        *,
        binds: Mapping[Path, str] | None = None,
        env: Mapping[str, str] | None = None,
        timeout_s: float = 120.0,
    ) -> Done:
        """Run a command in it, and end all that it started.

        :param binds: folders of this machine, and where they are to be seen inside.
        :param env: the whole environment but for ``PATH`` and ``LANG``.
        """
        return _enter(self.folder, command, binds or {}, env or {}, timeout_s)


def place() -> Path:
    """Where the root is kept."""
    named = os.environ.get("SCUMBLE_TRIXIE_ROOT", "")
    if named:
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME", "")
    folder = (Path(cache) if os.path.isabs(cache) else Path.home() / ".cache") / "scumble-tests" / SUITE
    # debootstrap cannot work below a folder with a space in its name.
    return Path("/var/tmp/scumble-tests") / SUITE if re.search(r"\s", str(folder)) else folder


def root(more: Sequence[str] = ()) -> Root:
    """The root, made if need be; raises :class:`Unavailable`.

    :param more: packages beside :data:`PACKAGES`, installed if they are not there yet.
    """
    folder = place()
    if _is_ready(folder, more):
        return Root(folder)
    _check()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.with_suffix(".lock")):
        if not _is_ready(folder):  # somebody else may have made it meanwhile
            _make(folder)
        if not _is_ready(folder, more):
            _add(folder, more)
    return Root(folder)


def mirror() -> str:
    """The Debian mirror in this machine's own list of sources; raises :class:`Unavailable`."""
    lists = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for file in lists:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found = mirror_in(file.read_text("utf-8"))
            if found:
                return found
    raise Unavailable("apt's list of sources names no Debian mirror")


def mirror_in(text: str) -> str:
    """The first address of Debian's main archive in a file of sources of either form, or ``""``."""
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words or words[0] not in ("deb", "URIs:"):
            continue
        for word in words[1:]:
            if re.match(r"https?://\S+/debian/?\Z", word):
                return word.rstrip("/")
    return ""


def _is_ready(folder: Path, more: Sequence[str] = ()) -> bool:
    return {*PACKAGES, *more} <= _packages(folder)


def _packages(folder: Path) -> set[str]:
    try:
        made = json.loads((folder / MARK).read_text("utf-8"))
    except (OSError, ValueError):
        return set()
    return set(made.get("packages", ())) if isinstance(made, dict) else set()


def _check() -> None:
    if not sys.platform.startswith("linux"):
        raise Unavailable("a Debian root needs Linux")
    if os.geteuid() != 0:
        raise Unavailable("making a Debian root needs root's rights")
    missing = [tool for tool in _TOOLS if shutil.which(tool, path=_path()) is None]
    if missing:
        raise Unavailable(f"there is no {' and no '.join(missing)}")
    # Some containers hold root's rights without this one.
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        raise Unavailable("this system does not allow mounts")


def _make(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    _must(["debootstrap", "--variant=minbase", SUITE, str(partial), mirror()], _MAKING_S)
    for name in ("resolv.conf", "hosts"):
        with contextlib.suppress(OSError):
            shutil.copy(f"/etc/{name}", partial / "etc" / name)
    for file in Path("/etc/apt/apt.conf.d").glob("*proxy*"):
        shutil.copy(file, partial / "etc/apt/apt.conf.d" / file.name)
    _install(partial, PACKAGES, "GIMP 3")
    partial.rename(folder)


def _add(folder: Path, packages: Sequence[str]) -> None:
    # The lists may be from the day on which the root was made.
    done = _enter(folder, ["apt-get", "update"], {}, _proxies(), _MAKING_S)
    if done.returncode:
        raise Unavailable(f"apt-get update failed: {_last(done.output)}")
    _install(folder, packages, packages[0])


def _install(folder: Path, packages: Sequence[str], what: str) -> None:
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    done = _enter(folder, command, {}, {"DEBIAN_FRONTEND": "noninteractive", **_proxies()}, _INSTALLING_S)
    if done.returncode:
        raise Unavailable(f"installing {what} failed: {_last(done.output)}")
    for archive in (folder / "var/cache/apt/archives").glob("*.deb"):
        archive.unlink()
    there = sorted({*_packages(folder), *packages})
    (folder / MARK).write_text(json.dumps({"packages": there}) + "\n")


def _proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}


def _enter(
    folder: Path,
    command: Sequence[str],
    binds: Mapping[Path, str],
    env: Mapping[str, str],
    timeout_s: float,
) -> Done:
    inside = shlex.quote(str(folder))
    steps = [
        "mount --make-rprivate /",
        f"mount -t proc proc {inside}/proc",
        f"mount --rbind /dev {inside}/dev",
        f"mount -t tmpfs tmpfs {inside}/tmp",
    ]
    for source, target in binds.items():
        (folder / target.lstrip("/")).mkdir(parents=True, exist_ok=True)
        steps.append(f"mount --rbind {shlex.quote(str(source))} {inside}{shlex.quote(target)}")
    steps.append(f'exec chroot {inside} "$@"')
    given = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root", **env}
    process = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", " && ".join(steps), "sh", *command],
        env=given,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=timeout_s)
        code = process.returncode
    except subprocess.TimeoutExpired:
        _end(process.pid)
        output, code = process.communicate()[0], 124
    finally:
        _end(process.pid)
    return Done(code, output.decode("utf-8", "replace"))


def _end(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    with open(file, "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _must(command: Sequence[str], timeout_s: float) -> None:
    env = {**os.environ, "PATH": _path()}
    try:
        done = subprocess.run(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout_s
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]} failed: {type(error).__name__}") from error
    if done.returncode:
        raise Unavailable(f"{command[0]} failed: {_last(done.stdout)}")


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _last(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "without a word"


if __name__ == "__main__":
    try:
        here = root()
    except Unavailable as reason:
        sys.exit(f"No Debian root: {reason}.")
    if len(sys.argv) == 1:
        print(here.folder)
    else:
        ended = here.run(sys.argv[1:], timeout_s=600)
        print(ended.output, end="")
        sys.exit(ended.returncode)
