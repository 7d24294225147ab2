"""How large a picture may be: the wire's limits, so that every way in gives the same answer."""

from __future__ import annotations

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.limits import LIMITS

#: Longest side of a layer, mask or style in pixels.
MAX_SIDE = LIMITS.side
#: Most pixels of a picture; a file that claims more may be a decompression bomb.
MAX_PIXELS = LIMITS.pixels
#: Longer sides of a style picture are scaled down to this: no engine looks at more than that.
STYLE_SIDE = 4096


def check_size(width: int, height: int, what: str) -> None:
    """Refuse a picture that is too large before anything is allocated for it.

    :param what: how to call it in the sentence, such as ``"layer"``.
    :raises ScumbleError: ``too_large``.
    """
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise ScumbleError(
            Code.TOO_LARGE,
            f"The {what} is too large: {width} x {height} pixels.",
            f"Use at most {MAX_SIDE} pixels a side and {MAX_PIXELS // 1_000_000} megapixels in all:"
            " scale it down or crop it.",
        )
