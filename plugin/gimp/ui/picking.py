"""Asking for a mask at every click: in a thread of its own, and only the latest question counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from scumble.plugin.common.failures import explain
from scumble.shared.client import Client
from scumble.shared.segmenting import SegmentRequest, SegmentResult

from .. import selecting
from .kit import GLib

_TICK_S = 0.02


class Picker(threading.Thread):
    """Answers in GIMP's thread with what was found, or with a sentence about why nothing was.

    :param answer: called with the question, and the result or a text.
    """

    def __init__(self, answer: Callable[[SegmentRequest, SegmentResult | str], Any]) -> None:
        super().__init__(name="scumble-picker", daemon=True)
        self._answer = answer
        self._connect = selecting.client_maker()
        self._next: SegmentRequest | None = None
        self._now: tuple[SegmentRequest, str] | None = None
        self._news = threading.Event()
        self._over = False
        self.start()

    def ask(self, request: SegmentRequest | None) -> None:
        """From GIMP's thread: forget what was asked before, and ask this (or nothing)."""
        self._next = request
        self._news.set()

    def close(self) -> None:
        """No more answers."""
        self._over = True
        self._news.set()
        self.join(2.0)

    def run(self) -> None:
        """The thread."""
        client: Client | None = None
        while not self._over:
            if self._news.is_set():
                self._news.clear()
                client = self._turn(client)
            if self._now is None or client is None:
                self._news.wait(1.0)
                continue
            self._listen(client)
        if client is not None:
            client.close()

    def _turn(self, client: Client | None) -> Client | None:
        """To the next question."""
        request = self._next
        if self._now is not None and client is not None:
            client.cancel(self._now[1])
            self._now = None
        if request is not None:
            try:
                client = client or self._connect()
                self._now = request, client.segment(request)
            except Exception as error:
                self._say(request, explain(error).text)
        return client

    def _listen(self, client: Client) -> None:
        assert self._now is not None
        request, job = self._now
        try:
            for event in client.poll(_TICK_S):
                result = selecting.take(event, job)
                if result is not None:
                    self._now = None
                    self._say(request, result)
        except Exception as error:
            self._now = None
            self._say(request, explain(error).sentence)

    def _say(self, request: SegmentRequest, what: SegmentResult | str) -> None:
        def tell() -> bool:
            if not self._over and request is self._next:
                self._answer(request, what)
            return False

        GLib.idle_add(tell)
