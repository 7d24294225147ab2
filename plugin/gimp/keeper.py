"""*Backend*: how it is, its log and models, and where it runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gi.repository import GObject

from scumble.plugin.common.backend import Remote, remote_connection
from scumble.plugin.common.redact import Redactor
from scumble.plugin.common.report import Facts, last_lines, report
from scumble.plugin.common.settings import Settings
from scumble.shared import launch
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import plain

from . import log
from .running import Conversation

LOG_LINES = 200
ELSEWHERE = "The backend runs on another machine; its log is there."


class Silent:
    """A bar that shows nothing: there may be no image to show it on."""

    def show(self, text: str, fraction: float | None) -> None:
        """See :class:`~.running.Bar`."""


def backend(procedure: Any, interactive: bool, image: Any, drawables: list[Any], config: Any) -> Any:
    """The procedure; its answer as text."""
    if interactive:
        from .ui.backend import show

        show()
        answer = ""
    else:
        answer = act(config)
    return [(GObject.TYPE_STRING, answer)]


def act(config: Any) -> str:
    """Do what the argument ``action`` says; the answer."""
    action = config.get_property("action")
    file = config.get_property("key-file")
    if action == "connect":
        connect(config.get_property("address"), (file.get_path() or "") if file is not None else "")
        return "{}"
    return ACTIONS[action](config.get_property("model"))


def connect(address: str, key_file: str) -> None:
    """Use a backend elsewhere from now on; with neither, this machine's own.

    :raises ScumbleError: ``bad_request`` for an address that is none, ``no_backend`` for a key file that
        cannot be used, ``disk``.
    """
    settings = Settings.load()
    remote = Remote(address, key_file, bool(address or key_file))
    if remote.enabled:
        remote_connection(remote)  # says what is wrong with it
    settings.remote = remote
    settings.save()


def status() -> dict[str, Any]:
    """How the backend is that the settings name; never starts one."""
    settings = Settings.load()
    if settings.remote.enabled:
        with Conversation(log.version(), settings=settings) as talk:
            condition = talk.answer(talk.session.ping(), Silent(), 15.0)
            return {"state": condition.get("state", ""), "remote": True, "details": plain(dict(condition))}
    now = launch.status()
    return {"state": now.state, "pid": now.pid, "version": now.version, "details": plain(dict(now.details))}


def backend_log() -> str:
    """The end of the backend's log, without names and addresses."""
    if Settings.load().remote.enabled:
        return ELSEWHERE
    return Redactor.of_this_user()("\n".join(last_lines(Path(launch.log_path()), LOG_LINES)))


def full_report(editor: str) -> str:
    """The text behind "copy report"."""
    try:
        condition = status()
    except ScumbleError as error:
        condition = {"state": "unknown", "error": error.code.value}
    lines = () if Settings.load().remote.enabled else last_lines(Path(launch.log_path()))
    return report(Facts(editor=editor, version=log.version(), condition=condition, log=lines))


def _status(_: str) -> str:
    return json.dumps(status())


def _start(_: str) -> str:
    with Conversation(log.version()) as talk:
        talk.describe(Silent())
    return _status("")


def _stop(_: str) -> str:
    if Settings.load().remote.enabled:
        raise ScumbleError(
            Code.BAD_REQUEST, "A backend on another machine is not ended from here.", "End it there."
        )
    launch.stop()
    return _status("")


def _describe(_: str) -> str:
    with Conversation(log.version()) as talk:
        return json.dumps(plain(dict(talk.describe(Silent()))))


def _models(_: str) -> str:
    with Conversation(log.version()) as talk:
        return json.dumps(plain(talk.answer(talk.session.models("list"), Silent())))


def _change(action: str) -> Callable[[str], str]:
    def change(model: str) -> str:
        if not model:
            raise ScumbleError(Code.BAD_REQUEST, "No model is named.", "Name it in the argument model.")
        with Conversation(log.version()) as talk:
            return json.dumps(plain(talk.answer(talk.session.models(action, model), Silent(), None)))

    return change


ACTIONS: dict[str, Callable[[str], str]] = {
    "status": _status,
    "start": _start,
    "stop": _stop,
    "describe": _describe,
    "models": _models,
    "fetch-model": _change("fetch"),
    "remove-model": _change("remove"),
    "log": lambda _: backend_log(),
}
