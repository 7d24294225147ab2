"""Who is connected: sessions, by routing id and by token."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import Message

from .jobs import SessionKey


@dataclass(eq=False)
class ClientSession:
    """A client, across its connections.

    :param peer: the routing id of its present connection.
    :param outbox: messages that must arrive and for which its connection had no room.
    """

    key: SessionKey
    name: str
    peer: bytes | None
    heard: float
    outbox: deque[Message] = field(default_factory=deque)


class Clients:
    """All sessions; the longest silent go when there are too many."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._by_key: dict[SessionKey, ClientSession] = {}
        self._by_peer: dict[bytes, ClientSession] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def of_peer(self, peer: bytes, user: str) -> ClientSession | None:
        """The session of a connection, if it has said hello as this user."""
        session = self._by_peer.get(peer)
        return session if session is not None and session.key[0] == user else None

    def of_key(self, key: SessionKey) -> ClientSession | None:
        """The session of that token."""
        return self._by_key.get(key)

    def everyone(self) -> list[ClientSession]:
        """All sessions."""
        return list(self._by_key.values())

    def greet(
        self, peer: bytes, key: SessionKey, name: str, now: float, busy: set[SessionKey]
    ) -> ClientSession:
        """Open a session, or give an old one its new connection.

        :param busy: sessions that have jobs, which are never pushed out.
        :raises ScumbleError: ``busy`` if there are too many.
        """
        before = self._by_peer.pop(peer, None)
        if before is not None:
            before.peer = None
        session = self._by_key.get(key)
        if session is None:
            if len(self._by_key) >= self.most:
                self._make_room(busy)
            session = self._by_key[key] = ClientSession(key, name, peer, now)
        elif session.peer is not None:
            self._by_peer.pop(session.peer, None)
        session.peer, session.name, session.heard = peer, name, now
        self._by_peer[peer] = session
        return session

    def _make_room(self, busy: set[SessionKey]) -> None:
        idle = [s for s in self._by_key.values() if s.key not in busy]
        if not idle:
            raise ScumbleError(Code.BUSY, "Too many clients are connected.", "Try again later.", retry=True)
        self.drop(min(idle, key=lambda s: s.heard))

    def disconnect(self, session: ClientSession) -> None:
        """Its connection is gone; the session stays."""
        if session.peer is not None:
            self._by_peer.pop(session.peer, None)
            session.peer = None
        session.outbox.clear()

    def drop(self, session: ClientSession) -> None:
        """Forget a session."""
        self.disconnect(session)
        self._by_key.pop(session.key, None)
