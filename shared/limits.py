"""What a message may hold.  One place, checked on both sides before anything is allocated for it.

These are the limits of ``docs/protocol.md``, section 4.  The backend may refuse less than this for its
own reasons (memory); it never accepts more.
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True)
class Limits:
    """Upper bounds; tests make a server with small ones.

    :param header_bytes: the JSON header.
    :param buffers: buffers of one message.
    :param side: pixels along one side of a picture.
    :param pixels: pixels of one picture (a decompression bomb stops here).
    :param buffer_bytes: one buffer, which is one frame.
    :param message_bytes: all buffers of one message.
    :param style_bytes: one style picture.
    :param json_bytes: a buffer that holds JSON (the answer to ``describe``).
    :param regions: regions of one request.
    :param options: entries of one options object.
    :param text: characters of a text a user wrote (a prompt, an option).
    :param queued_jobs: jobs of one client that wait.
    :param queued_bytes: bytes of one client's waiting jobs.
    :param sessions: clients at once.
    """

    header_bytes: int = 256 * KIB
    buffers: int = 192
    side: int = 30_000
    pixels: int = 178_000_000
    buffer_bytes: int = 2 * GIB - 1
    message_bytes: int = 2 * GIB + 512 * MIB
    style_bytes: int = 64 * MIB
    json_bytes: int = 16 * MIB
    regions: int = 32
    options: int = 64
    text: int = 2_000
    queued_jobs: int = 32
    queued_bytes: int = 3 * GIB
    sessions: int = 1024


LIMITS = Limits()
