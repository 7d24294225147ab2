"""What goes out: each message to its session's present connection, or kept until there is room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from scumble.shared.framing import Message

from .clients import Clients, ClientSession
from .jobs import SessionKey

Sent = Literal["sent", "full", "gone"]
#: Answers of these kinds must arrive; others may be lost to a client that does not read: it can ask again.
_MUST_ARRIVE = frozenset({"result", "failed", "cancelled", "accepted", "description"})
#: Messages kept for one session.
_MOST_KEPT = 256


class Post:
    """See the module.

    :param send: hands a message to a connection; ``full`` if it has no room, ``gone`` if it is no more.
    """

    def __init__(self, clients: Clients, send: Callable[[bytes, Message], Sent]) -> None:
        self._clients = clients
        self._send = send

    def tell(self, key: SessionKey, message: Message) -> None:
        """Send to a session, if it is still known."""
        session = self._clients.of_key(key)
        if session is not None:
            self.answer(session, message)

    def answer(self, session: ClientSession, message: Message) -> None:
        """Send to a session."""
        if session.peer is None:
            return
        must = message.type in _MUST_ARRIVE
        if session.outbox and must:  # what waits goes first
            if len(session.outbox) < _MOST_KEPT:
                session.outbox.append(message)
            return
        sent = self._send(session.peer, message)
        if sent == "gone":
            self._clients.disconnect(session)
        elif sent == "full" and must and len(session.outbox) < _MOST_KEPT:
            session.outbox.append(message)

    def again(self) -> None:
        """Try what had no room before."""
        for session in self._clients.everyone():
            while session.outbox and session.peer is not None:
                sent = self._send(session.peer, session.outbox[0])
                if sent == "full":
                    break
                if sent == "gone":
                    self._clients.disconnect(session)
                    break
                session.outbox.popleft()
