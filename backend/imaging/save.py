"""Write pixel buffers to picture files, whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import PixelBuffer, StylizeResult

from . import tiff
from .pixels import NUMPY, as_bytes, decode, encode, samples
from .types import Samples

#: File endings that are written, and those of them that hold transparency.
ENDINGS = (".png", ".tif", ".tiff", ".webp", ".jpg", ".jpeg", ".bmp")
WITH_ALPHA = (".png", ".tif", ".tiff", ".webp")
#: WebP's own limit.
_WEBP_SIDE = 16383


def check_target(path: Path, *, alpha: bool) -> None:
    """Refuse a target before a job runs for it, rather than after.

    :raises ScumbleError: ``unsupported_format`` or ``disk``.
    """
    ending = path.suffix.lower()
    allowed = WITH_ALPHA if alpha else ENDINGS
    if ending not in allowed:
        known = ending in ENDINGS
        reason = "cannot hold transparency" if known else "is not a picture format that is written"
        raise ScumbleError(
            Code.UNSUPPORTED_FORMAT,
            f"{path.name} {reason}.",
            f"Use a name that ends in {', '.join(allowed)}.",
        )
    check_folder(path)


def check_folder(path: Path) -> None:
    """Refuse a target whose folder is missing or closed; raises ``disk``."""
    if _is_channel(path) and os.access(path, os.W_OK):
        return
    if not path.parent.is_dir():
        raise ScumbleError(
            Code.DISK, f"The folder for {path.name} does not exist.", "Make the folder, or choose another."
        )
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise ScumbleError(
            Code.DISK, f"{path.name} cannot be written there.", "Choose a name in a folder of your own."
        )


def write_picture(path: Path, pixels: PixelBuffer, profile: bytes | None = None) -> None:
    """Write pixels in the format that the file's ending names.

    Sample types that the format lacks become the nearest that it has: float becomes 16-bit sRGB in a
    PNG, everything becomes 8 bit in WebP, JPEG and BMP.

    :param profile: ICC profile to embed; given only with pixels that are in it.
    :raises ScumbleError: ``disk``, ``unsupported_format``.
    """
    write_bytes(path, _encoded(path, pixels, profile))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: beside it first, then moved over it.

    A device or pipe (``/dev/stdout``) is written into and stays what it is.

    :raises ScumbleError: ``disk``; what was there before is then untouched and nothing is left behind.
    """
    if _is_channel(path):
        try:
            path.write_bytes(data)
        except OSError as error:
            raise _disk(path, error) from None
        return
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(partial, flags, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(partial, target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _disk(path, error) from None


def _is_channel(path: Path) -> bool:
    """Whether something is there that is neither a file nor a folder."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _disk(path: Path, error: OSError) -> ScumbleError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ScumbleError(
            Code.DISK,
            f"The disk is full: {path.name} could not be written.",
            "Free some space or write to another disk.",
        )
    return ScumbleError(
        Code.DISK,
        f"{path.name} could not be written ({error.strerror or 'no access'}).",
        "Choose a name in a folder of your own.",
    )


def place(result: StylizeResult, origin: tuple[int, int], size: tuple[int, int]) -> PixelBuffer:
    """The new layer on a transparent canvas, so that any editor opens it in the right place.

    :param origin: (x, y) of the canvas to fill, in the result's coordinates.
    :param size: its (width, height).
    """
    layer = result.layer
    raw = samples(layer)
    out = np.zeros((size[1], size[0], raw.shape[2]), NUMPY[layer.dtype])
    left, top = result.origin[0] - origin[0], result.origin[1] - origin[1]
    if not (0 <= left <= size[0] - layer.width and 0 <= top <= size[1] - layer.height):
        raise ScumbleError(Code.INTERNAL, "The new layer does not lie on the canvas.")
    out[top : top + layer.height, left : left + layer.width] = raw
    return replace(layer, width=size[0], height=size[1], data=as_bytes(out))


def _rgb_order(pixels: PixelBuffer) -> Samples:
    raw = samples(pixels)
    if pixels.layout in ("bgr", "bgra"):
        return raw[..., [2, 1, 0, 3][: raw.shape[2]]]
    return raw


def _converted(pixels: PixelBuffer, dtype: str) -> PixelBuffer:
    """The pixels as sRGB with integer samples of that type."""
    rgb, alpha = decode(pixels)
    return encode(rgb, alpha, pixels.layout, "u16" if dtype == "u16" else "u8")


def _encoded(path: Path, pixels: PixelBuffer, profile: bytes | None) -> bytes:
    ending = path.suffix.lower()
    if ending in (".tif", ".tiff"):
        if pixels.transfer == "linear" and pixels.dtype in ("u8", "u16") and not profile:
            pixels = _converted(pixels, pixels.dtype)
        if pixels.dtype == "f16":  # few programs read half floats in a TIFF
            pixels = replace(pixels, dtype="f32", data=as_bytes(samples(pixels).astype("<f4")))
        return tiff.encode(_rgb_order(pixels), profile)
    if pixels.dtype in ("f16", "f32") or (pixels.transfer == "linear" and not profile):
        pixels, profile = _converted(pixels, "u8" if pixels.dtype == "u8" else "u16"), None
    if ending == ".png" and pixels.dtype == "u16":
        return _png16(_rgb_order(pixels), profile)
    if pixels.dtype == "u16":
        # The samples' high bytes, rounded; a profile stays true because no curve is involved.
        wide = samples(pixels).astype(np.uint32)
        small = ((wide * 255 + 32767) // 65535).astype(np.uint8)
        pixels = replace(pixels, dtype="u8", data=as_bytes(small))
    raw = _rgb_order(pixels)
    picture = Image.fromarray(np.ascontiguousarray(raw[..., 0] if raw.shape[2] == 1 else raw))
    return _pillow(ending, picture, profile, path)


def _pillow(ending: str, picture: Image.Image, profile: bytes | None, path: Path) -> bytes:
    stream = io.BytesIO()
    if ending == ".png":
        picture.save(stream, "PNG", compress_level=4, icc_profile=profile)
    elif ending == ".webp":
        if max(picture.size) > _WEBP_SIDE:
            raise ScumbleError(
                Code.UNSUPPORTED_FORMAT,
                f"{path.name} cannot hold a side of more than {_WEBP_SIDE} pixels.",
                "Use PNG or TIFF.",
            )
        picture.save(stream, "WEBP", lossless=True, exact=True, quality=60, icc_profile=profile)
    elif ending in (".jpg", ".jpeg"):
        picture.save(stream, "JPEG", quality=95, subsampling=0, icc_profile=profile)
    elif ending == ".bmp":
        picture.save(stream, "BMP")
    else:
        check_target(path, alpha=False)
    return stream.getvalue()


def _png16(raw: Samples, profile: bytes | None) -> bytes:
    channels = raw.shape[2]
    if channels == 2:
        return _gray_alpha_png16(raw, profile)
    order = [2, 1, 0, 3][:channels] if channels > 2 else [0]
    done, data = cv2.imencode(".png", np.ascontiguousarray(raw[..., order]), [cv2.IMWRITE_PNG_COMPRESSION, 4])
    if not done:
        raise ScumbleError(Code.INTERNAL, "The picture could not be written as PNG.")
    content = bytes(data.tobytes())
    # Header chunk: 8 bytes of signature, 25 of IHDR; the profile has to follow before the pixels.
    return content[:33] + _profile_chunk(profile) + content[33:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _profile_chunk(profile: bytes | None) -> bytes:
    return _chunk(b"iCCP", b"ICC\0\0" + zlib.compress(profile)) if profile else b""


def _gray_alpha_png16(raw: Samples, profile: bytes | None) -> bytes:
    """PNG of 16-bit grey and alpha, for which neither Pillow nor OpenCV has a writer."""
    height, width = raw.shape[:2]
    rows = np.ascontiguousarray(raw.astype(">u2")).view(np.uint8).reshape(height, width * 4)
    # Filter 2 (difference to the row above) on every row: soft alpha compresses well under it.
    above = np.vstack([np.zeros((1, width * 4), np.uint8), rows[:-1]])
    lines = np.hstack([np.full((height, 1), 2, np.uint8), rows - above])
    head = struct.pack(">IIBBBBB", width, height, 16, 4, 0, 0, 0)
    body = _chunk(b"IDAT", zlib.compress(lines.tobytes(), 4))
    start = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _profile_chunk(profile)
    return start + body + _chunk(b"IEND", b"")
