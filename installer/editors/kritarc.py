"""Krita's settings file: one line of it says that the plug-in is enabled, and all the rest is Krita's.

The file is edited as bytes, so that whatever else stands in it stays as it is: line ends, comments,
unusual encodings.  What was added is returned as text, so that taking it out again can restore the file
to the byte, unless Krita has written the file anew meanwhile; then the line alone is taken out.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

GROUP = b"python"
KEY = b"enable_scumble_krita"
_HEADER = re.compile(rb"\A\[(?P<group>[^\]\r\n]*)\](?P<rest>.*)\Z", re.DOTALL)
#: A key with its flags, ``key[$i]=value``.
_ENTRY = re.compile(rb"\A[ \t]*(?P<key>[^=\[\r\n]*?)[ \t]*(?:\[\$[a-z]+\])?[ \t]*=(?P<value>.*)\Z", re.DOTALL)


def _scan(content: bytes) -> tuple[list[bytes], list[int], list[int]]:
    """The lines with their ends; which of them are our group's header; which are our entry."""
    lines = content.splitlines(keepends=True)
    headers: list[int] = []
    entries: list[int] = []
    inside = False
    for number, line in enumerate(lines):
        header = _HEADER.match(line.strip())
        if header:
            # "[python][$i]" is the same group; "[python][more]" is one inside it.
            rest = re.sub(rb"\[\$[a-z]+\]", b"", header["rest"]).strip()
            inside = header["group"] == GROUP and not rest
            if inside:
                headers.append(number)
        elif inside:
            entry = _ENTRY.match(line)
            if entry and entry["key"] == KEY:
                entries.append(number)
    return lines, headers, entries


def _is_true(line: bytes) -> bool:
    entry = _ENTRY.match(line)
    return entry is not None and entry["value"].strip().lower() in (b"true", b"on", b"yes", b"1")


def is_enabled(content: bytes) -> bool:
    """Whether Krita will load the plug-in; the last line about it counts."""
    lines, _, entries = _scan(content)
    return bool(entries) and _is_true(lines[entries[-1]])


def enabled(content: bytes) -> tuple[bytes, bytes]:
    """The content with the plug-in enabled, and what was inserted for that (``b""``: a line was changed)."""
    lines, headers, entries = _scan(content)
    end = b"\r\n" if b"\r\n" in content else b"\n"
    if entries:
        for number in entries:
            line = lines[number]
            if not _is_true(line):
                tail = line[len(line.rstrip(b"\r\n")) :]
                lines[number] = line[: line.index(b"=") + 1] + b"true" + tail
        return b"".join(lines), b""
    entry = KEY + b"=true"
    if headers:
        at = headers[0]
        bare = not lines[at].endswith((b"\n", b"\r"))
        added = end + entry if bare else entry + end
        lines.insert(at + 1, added)
    else:
        gap = b"" if not content else end if content.endswith((b"\n", b"\r")) else end + end
        added = gap + b"[" + GROUP + b"]" + end + entry + end
        lines.append(added)
    return b"".join(lines), added


def without(content: bytes, added: bytes = b"") -> bytes:
    """The content without our line.

    :param added: what :func:`enabled` inserted; taken out as it is if it is still there exactly so.
    """
    if added and content.count(added) == 1:
        rest = content.replace(added, b"")
        if not _scan(rest)[2]:
            return rest
    lines, _, entries = _scan(content)
    for number in reversed(entries):
        del lines[number]
        after = number
        while after < len(lines) and not lines[after].strip():
            after += 1
        last = after == len(lines) or lines[after].lstrip().startswith(b"[")
        # A group of which nothing is left goes as well; Krita would not write it either.
        if last and number and lines[number - 1].strip() == b"[" + GROUP + b"]":
            del lines[number - 1 : after]
    return b"".join(lines)


def read(file: Path) -> bytes:
    """The file's content; one that is not there has none."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def write(file: Path, content: bytes) -> None:
    """Replace the file's content, all of it or nothing; a link stays a link.

    :raises OSError: if that cannot be done.
    """
    file = Path(os.path.realpath(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
        os.chmod(name, mode)
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def enable(file: Path) -> bytes:
    """Enable the plug-in in this file; returns what was inserted.

    :raises OSError: if the file cannot be read or written.
    """
    content = read(file)
    new, added = enabled(content)
    if new != content:
        write(file, new)
    return added


def forget(file: Path, added: bytes = b"") -> bool:
    """Take our line out of this file; returns whether there was one.

    A file that has nothing else is removed: it was made for the line.

    :raises OSError: if the file cannot be read or written.
    """
    content = read(file)
    new = without(content, added)
    if new == content:
        return False
    if new.strip():
        write(file, new)
    else:
        Path(os.path.realpath(file)).unlink()
    return True
