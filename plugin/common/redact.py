"""Taking out of a text what is nobody's business: who the user is, where things lie, who talks to whom.

Better too much than too little: a name that is part of another word goes as well.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import platform
import re
from collections.abc import Iterable
from urllib.parse import quote

#: Of a path at most its last part stays, and of that only the ending, unless it is a program's.
_PROGRAM = re.compile(r"[A-Za-z0-9_.-]+\.(?:py|so|pyd|dll|dylib|log|lock|safetensors)\Z")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")
#: Stand for names until the end: characters that nobody uses, so that a path around one stays a path.
_USER, _MACHINE = "\ue000", "\ue001"
_PART = r"[^\s\"'<>|:*?/\\\x00]+"
#: Absolute paths of either kind of system, ``~/...`` and ``file://``.  Folders may hold single spaces;
#: the last part only if it ends like a file.
_PATH = re.compile(
    r"(?:file:///?|(?<![\w.~/\\:…])(?:~[\w.\ue000\ue001-]*(?=[/\\])|[A-Za-z]:(?=[/\\])|\\\\(?=[\w\ue000\ue001])|(?=/)))"
    rf"(?:[/\\]*{_PART}(?: {_PART}){{0,8}}(?=[/\\]))*"
    rf"[/\\]+(?:{_PART}(?: {_PART}){{0,8}}?\.[A-Za-z0-9]{{1,8}}(?![\w.])|{_PART})?"
)
_QUOTED_PATH = re.compile(r"(?P<q>[\"'])(?P<path>(?:file:|~|[A-Za-z]:[/\\]|[/\\])[^\"'\n]*)(?P=q)")
_MAIL = re.compile(r"[\w.+\ue000\ue001-]+@[\w\ue000\ue001-]+(?:\.[\w-]+)+")
_ENDPOINT = re.compile(r"\b(?:tcp|ipc|https?|ftp|wss?)://[^\s\"'<>)]+")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?![\d.]*\d)")
_IPV6 = re.compile(
    r"(?<![\w:.])\[?(?=[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:)[0-9A-Fa-f:.]{2,}(?:%\w+)?\]?(?::\d+)?(?![\w:])"
)
_MAC = re.compile(r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b")
#: Job ids and keys: whoever knows one may ask for what belongs to it.
_SECRET = re.compile(r"(?<![A-Za-z0-9])[0-9A-Fa-f]{32,}(?![A-Za-z0-9])")
_Z85 = re.compile(
    r"(?<![0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#])[0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}(?![0-9A-Za-z])"
)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?\Z")


class Redactor:
    """Redacts for one user.

    :param homes: the user's own folders.
    :param users: names of the user.
    :param hosts: names of the machine.
    """

    def __init__(self, homes: Iterable[str], users: Iterable[str], hosts: Iterable[str] = ()) -> None:
        self._homes = [_home(h) for h in sorted(set(homes), key=len, reverse=True) if len(h.strip("/\\")) > 0]
        self._names = [_name(user, _USER) for user in _longest_first(users)]
        self._names += [_name(host, _MACHINE) for host in _longest_first(hosts)]

    @classmethod
    def of_this_user(cls) -> Redactor:
        """For whoever runs this."""
        home = os.path.expanduser("~")
        homes = {home, os.path.realpath(home)}
        users = {os.path.basename(home.rstrip("/\\"))}
        for name in ("HOME", "USERPROFILE"):
            homes.add(os.environ.get(name, ""))
        for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER", "LNAME"):
            users.add(os.environ.get(name, ""))
        with contextlib.suppress(Exception):  # no password entry for this id
            users.add(getpass.getuser())
        host = platform.node()
        return cls(homes, users, {host, host.partition(".")[0]})

    def __call__(self, text: str) -> str:
        """The text without what would tell."""
        for home in self._homes:
            text = home.sub("~", text)
        for pattern, instead in self._names:
            text = pattern.sub(instead, text)
        text = _ENDPOINT.sub("<address>", text)
        text = _QUOTED_PATH.sub(lambda m: m["q"] + _short(m["path"]) + m["q"], text)
        text = _PATH.sub(lambda m: _short(m[0]), text)
        text = _SECRET.sub("<id>", _Z85.sub("<key>", text))
        text = _MAIL.sub("<mail>", text)
        text = _MAC.sub("<address>", text)
        text = _IPV4.sub("<address>", text)
        text = _IPV6.sub(lambda m: m[0] if _CLOCK.match(m[0]) else "<address>", text)
        return text.replace(_USER, "<user>").replace(_MACHINE, "<machine>")


def _longest_first(names: Iterable[str]) -> list[str]:
    # "localhost" names every machine and tells nothing.
    return sorted({n for n in names if n and n != "localhost"}, key=len, reverse=True)


def _name(name: str, instead: str) -> tuple[re.Pattern[str], str]:
    forms = "|".join(sorted({re.escape(name), re.escape(quote(name))}, key=len, reverse=True))
    # A name of one to three letters is part of too many words to be taken out of them.
    pattern = forms if len(name) >= 4 else rf"(?<![^\W_])(?:{forms})(?![^\W_])"
    return re.compile(pattern, re.IGNORECASE), instead


def _home(home: str) -> re.Pattern[str]:
    home = home.rstrip("/\\")
    forms = {home, home.replace("\\", "/"), home.replace("/", "\\"), home.replace("\\", "\\\\")}
    forms |= {quote(form) for form in forms} | {quote(form, safe="/:") for form in forms}
    joined = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    # Not "/home/ann" in "/home/anna": the rest of the path is treated like any other.
    return re.compile(rf"(?:{joined})(?=[/\\\s\"':,;)]|%2F|%5C|$)", re.IGNORECASE)


def _short(path: str) -> str:
    """``…/name.py`` for a program's file, ``….ext`` for any other, ``…`` for a folder."""
    last = re.split(r"[/\\]|%2[Ff]|%5[Cc]", path)[-1].rstrip(" ,;")
    if _PROGRAM.match(last):
        return f"…/{last}"
    ending = _ENDING.search(last)
    return f"…{ending[0]}" if ending else "…"
