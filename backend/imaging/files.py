"""Read picture files into pixel buffers: PNG, JPEG, WebP, TIFF and BMP, 8 bit to float.

Every failure is a :class:`ScumbleError` with a sentence that names the file by its last part only.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.limits import LIMITS
from scumble.shared.messages import DType, MaskBuffer, PixelBuffer, PixelLayout

from . import profiles, tiff
from .limits import MAX_PIXELS, MAX_SIDE, STYLE_SIDE, check_size
from .pixels import as_bytes, decode, encode, from_float, samples
from .transfer import gray
from .types import Samples

#: Pillow's names of the formats that are read; others (EPS runs a program) stay closed.
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM")
_KINDS = "PNG, JPEG, WebP, TIFF or BMP"
_LAYOUTS: dict[int, PixelLayout] = {1: "gray", 2: "graya", 3: "rgb", 4: "rgba"}
_DTYPES: dict[str, DType] = {"uint8": "u8", "uint16": "u16", "float16": "f16", "float32": "f32"}
#: Clockwise quarter turns and mirroring of each EXIF orientation.
_TURNS = {1: (0, False), 2: (0, True), 3: (2, False), 4: (2, True)}
_TURNS |= {5: (3, True), 6: (1, False), 7: (1, True), 8: (3, False)}


@dataclass(frozen=True)
class Picture:
    """A file's pixels, upright.

    :param profile: the ICC profile to write with pixels of this kind, if it is not sRGB.
    """

    pixels: PixelBuffer
    profile: bytes | None = None


def read_picture(path: Path, what: str = "picture") -> Picture:
    """Read a layer or a style.

    EXIF rotation is applied; palettes and 1-bit pictures become RGB and grey.  8-bit pictures with
    an embedded profile are converted to sRGB; deeper ones keep their values and their profile.
    Float TIFFs are linear light unless their profile says otherwise.

    :param what: how the sentence calls it, such as ``"content"``.
    :raises ScumbleError: ``file_missing``, ``file_unreadable``, ``unsupported_format``, ``too_large``.
    """
    with warnings.catch_warnings():
        # What Pillow warns of (odd metadata, half of the size that it refuses) is nothing to tell a user.
        warnings.simplefilter("ignore")
        return _read(path, what)


def _read(path: Path, what: str) -> Picture:
    data = _bytes(path, what)
    deep = _deep(data, path, what)
    if deep is not None:
        return deep
    picture = _upright(data, path, what)
    profile = picture.info.get("icc_profile")
    picture = _plain(picture, path, what)
    raw = _samples(picture)
    kind = profiles.meaning(profile) if profile else "srgb"
    if raw.dtype == np.uint8 and kind == "other" and profile:
        raw, profile, kind = _samples(profiles.to_srgb(picture, profile)), None, "srgb"
    floating = raw.dtype.kind == "f"
    linear = kind == "linear" or (floating and not profile)
    return _picture(raw, "linear" if linear else "srgb", profile, kind)


def read_mask(path: Path, size: tuple[int, int] | None = None) -> MaskBuffer:
    """Read a mask: white selects, black does not, greys are soft; transparent counts as black.

    :param size: (width, height) that it must have.
    :raises ScumbleError: as :func:`read_picture`, and ``mask_size``.
    """
    pixels = read_picture(path, "mask").pixels
    if size is not None and (pixels.width, pixels.height) != size:
        raise ScumbleError(
            Code.MASK_SIZE,
            f"The mask {path.name} has {pixels.width} x {pixels.height} pixels,"
            f" the picture {size[0]} x {size[1]}.",
            "Save the mask at exactly the picture's size.",
        )
    if pixels.layout == "gray":
        return MaskBuffer(pixels.width, pixels.height, pixels.data, pixels.dtype)
    # A mask's numbers are weights, not light: they are taken as they are encoded.
    weights = PixelBuffer(pixels.width, pixels.height, pixels.layout, pixels.dtype, pixels.data)
    rgb, alpha = decode(weights, what="mask")
    values = from_float(gray(rgb) * alpha, pixels.dtype)
    return MaskBuffer(pixels.width, pixels.height, as_bytes(values), pixels.dtype)


def read_style(path: Path) -> PixelBuffer:
    """Read a style; one too large to travel becomes 8 bit with a longer side of at most 4096 px.

    :raises ScumbleError: as :func:`read_picture`.
    """
    pixels = read_picture(path, "style").pixels
    if memoryview(pixels.data).nbytes <= LIMITS.style_bytes:
        return pixels
    raw = samples(pixels)
    scale = STYLE_SIDE / max(pixels.width, pixels.height)
    if scale < 1:
        size = (max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale)))
        source = raw.astype(np.float32) if pixels.dtype == "f16" else raw
        small: Any = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
        raw = small.reshape(size[1], size[0], raw.shape[2]).astype(raw.dtype)
    reduced = PixelBuffer(
        raw.shape[1], raw.shape[0], pixels.layout, pixels.dtype, as_bytes(raw), pixels.transfer
    )
    rgb, alpha = decode(reduced, what="style picture")
    return encode(rgb, alpha, pixels.layout, "u8")


def _bytes(path: Path, what: str) -> bytes:
    try:
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "a device or pipe"
            raise ScumbleError(
                Code.FILE_UNREADABLE,
                f"The {what} {path.name or path} is {kind}, not a picture file.",
                f"Name a {_KINDS} file.",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise ScumbleError(
            Code.FILE_MISSING,
            f"There is no {what} file called {path.name}.",
            "Check the name and the folder.",
        ) from None
    except OSError as error:
        raise ScumbleError(
            Code.FILE_UNREADABLE,
            f"The {what} file {path.name} cannot be read ({error.strerror or 'no access'}).",
            "Check that you may open it.",
        ) from None


def _damaged(path: Path, what: str) -> ScumbleError:
    return ScumbleError(
        Code.FILE_UNREADABLE,
        f"The {what} file {path.name} is damaged or cut off.",
        "Save or download it again.",
    )


def _open(data: bytes, path: Path, what: str) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise ScumbleError(
            Code.TOO_LARGE,
            f"The {what} file {path.name} is too large.",
            f"Use at most {MAX_SIDE} pixels a side and {MAX_PIXELS // 1_000_000} megapixels in all.",
        ) from None
    except UnidentifiedImageError:
        raise ScumbleError(
            Code.FILE_UNREADABLE,
            f"The {what} file {path.name} is not a picture that can be read.",
            f"Use a {_KINDS} file; if it should be one, it may be damaged.",
        ) from None
    except Exception:
        raise _damaged(path, what) from None
    check_size(picture.width, picture.height, what)
    return picture


def _upright(data: bytes, path: Path, what: str) -> Image.Image:
    picture = _open(data, path, what)
    try:
        picture.load()
        return ImageOps.exif_transpose(picture)
    except Exception:  # decoders raise OSError, SyntaxError, ValueError, zlib.error, struct.error, ...
        raise _damaged(path, what) from None


def _plain(picture: Image.Image, path: Path, what: str) -> Image.Image:
    """The picture in one of the modes L, LA, RGB, RGBA, I;16, F."""
    mode = picture.mode
    if mode in ("CMYK", "LAB", "HSV"):
        raise ScumbleError(
            Code.UNSUPPORTED_FORMAT,
            f"The {what} file {path.name} is a {mode} picture; Scumble works on RGB and grey.",
            "Convert it to RGB in your editor and save it again.",
        )
    if mode == "I":
        # 32-bit integers: what fits 16 bits is 16 bits, as 16-bit PNGs of some versions arrive.
        values = np.asarray(picture)
        return Image.fromarray(np.clip(values, 0, 65535).astype(np.uint16))
    if mode.startswith("I;16") or mode == "F":
        return picture
    alpha = picture.has_transparency_data
    if mode in ("1", "L", "LA", "La"):
        return picture.convert("LA" if alpha else "L")
    return picture.convert("RGBA" if alpha else "RGB")


def _samples(picture: Image.Image) -> Samples:
    raw = np.asarray(picture)
    if picture.mode.startswith("I;16"):
        raw = raw.astype(np.uint16)
    return raw[..., None] if raw.ndim == 2 else raw


def _picture(
    raw: Samples, transfer: Literal["srgb", "linear"], profile: bytes | None, kind: profiles.Meaning
) -> Picture:
    height, width, channels = raw.shape
    little = raw.astype(raw.dtype.newbyteorder("<"), copy=False)
    dtype = _DTYPES[raw.dtype.name]
    buffer = PixelBuffer(width, height, _LAYOUTS[channels], dtype, as_bytes(little), transfer)
    return Picture(buffer, None if kind == "srgb" else profile)


def _deep(data: bytes, path: Path, what: str) -> Picture | None:
    """16-bit PNG and 16-bit or float TIFF of several channels; ``None`` if Pillow reads the file whole."""
    head = tiff.header(data)
    if head is not None:
        if not head.deep or (head.channels == 1 and not head.floating):
            return None
        check_size(head.width, head.height, what)
        if not (head.readable or head.plain):
            raise ScumbleError(
                Code.UNSUPPORTED_FORMAT,
                f"The {what} file {path.name} is a TIFF of a kind that cannot be read.",
                "Save it as RGB or grey with 8 or 16 bit integer or 32 bit float samples.",
            )
        return _deep_tiff(data, head, path, what)
    # The bit depth is byte 24 of every PNG file.
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[24:25] != b"\x10":
        return None
    picture = _open(data, path, what)
    profile = picture.info.get("icc_profile")
    try:
        picture.verify()  # OpenCV gives half a picture for half a file
        orientation = _open(data, path, what).getexif().get(0x0112, 1)
    except Exception:
        raise _damaged(path, what) from None
    raw = _turned(_opencv(data, path, what), orientation)
    if data[25:26] == b"\x04" and raw.shape[2] == 4:
        raw = raw[..., [0, 3]]  # grey and alpha arrives as four channels
    kind = profiles.meaning(profile) if profile else "srgb"
    return _picture(raw, "linear" if kind == "linear" else "srgb", profile, kind)


def _deep_tiff(data: bytes, head: tiff.Header, path: Path, what: str) -> Picture:
    if head.plain:
        found = tiff.strips(data, head)
        if found is None:
            raise _damaged(path, what)
        raw = _turned(found, head.orientation)
    else:
        raw = _opencv(data, path, what)  # turns TIFFs (and only them) by itself
    if head.premultiplied and raw.shape[2] in (2, 4):
        alpha = raw[..., -1:].astype(np.float32)
        full = np.float32(1 if head.floating else 65535)
        color = raw[..., :-1] * (full / np.where(alpha > 0, alpha, full))
        limit = color if head.floating else np.rint(np.clip(color, 0, 65535))
        raw = np.concatenate([limit.astype(raw.dtype), raw[..., -1:]], axis=2)
    kind = profiles.meaning(head.profile) if head.profile else "srgb"
    linear = kind == "linear" or (head.floating and not head.profile)
    return _picture(raw, "linear" if linear else "srgb", head.profile, kind)


def _opencv(data: bytes, path: Path, what: str) -> Samples:
    """(H, W, C) samples in RGB order."""
    log: Any = cv2.utils.logging
    level = log.getLogLevel()
    log.setLogLevel(log.LOG_LEVEL_SILENT)  # its messages are for developers and would reach the user
    try:
        raw: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        raw = None
    finally:
        log.setLogLevel(level)
    if raw is None or raw.dtype.name not in _DTYPES:
        raise _damaged(path, what)
    if raw.ndim == 2:
        return np.asarray(raw[..., None])
    order = [2, 1, 0, 3][: raw.shape[2]] if raw.shape[2] >= 3 else list(range(raw.shape[2]))
    return np.asarray(raw[..., order])


def _turned(raw: Samples, orientation: int) -> Samples:
    turns, mirrored = _TURNS.get(orientation, (0, False))
    if mirrored:
        raw = raw[:, ::-1]
    return np.rot90(raw, -turns) if turns else raw
