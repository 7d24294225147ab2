"""Which style pictures there are, and their pixels: the bundled gallery, then the user's own folder."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import io
import json
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import platformdirs
from numpy.typing import NDArray
from PIL import Image, ImageOps

from scumble.shared.errors import Code, ScumbleError

BUNDLED = Path(__file__).parent / "gallery"
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"})
THUMBNAIL_SIDE = 128
#: A style picture of more pixels than this is refused: no method uses them, and small files can hold them.
MAX_PIXELS = 120_000_000


@dataclass(frozen=True)
class Style:
    """One style picture.

    :param id: what requests name it by; lower-case words joined by hyphens.
    :param path: the picture's file.
    :param thumbnail: its small version, at most 128 px; for the user's own pictures it exists only after
        :func:`thumbnail_bytes` was called.
    :param sha256: of the bundled file, ``""`` for the user's own.
    """

    id: str
    name: str
    description: str
    tags: tuple[str, ...]
    path: Path
    thumbnail: Path
    source: Literal["bundled", "user"]
    sha256: str = ""


class Gallery(tuple[Style, ...]):
    """All styles, with :attr:`warnings` about the pictures that had to be left out (file names, no paths)."""

    warnings: tuple[str, ...] = ()

    def __new__(cls, styles: Iterable[Style] = (), warnings: Iterable[str] = ()) -> Gallery:
        made = super().__new__(cls, tuple(styles))
        made.warnings = tuple(warnings)
        return made


def user_folder() -> Path:
    """Where the user's own style pictures lie (it need not exist); ``SCUMBLE_STYLES_DIR`` overrides it."""
    override = os.environ.get("SCUMBLE_STYLES_DIR")
    return (
        Path(override)
        if override
        else Path(platformdirs.user_data_dir("scumble", appauthor=False)) / "styles"
    )


def gallery() -> Gallery:
    """The bundled styles in their order, then the user's own by name."""
    styles = list(_bundled())
    taken = {style.id for style in styles}
    warnings: list[str] = []
    for path in _user_files(warnings):
        try:
            stat = path.stat()
            problem = _problem(path, stat.st_mtime_ns, stat.st_size)
        except OSError as error:
            problem = error.strerror or "it cannot be read"
        if problem:
            warnings.append(f"{path.name} was left out: {problem}.")
            continue
        styles.append(_user_style(path, taken))
    return Gallery(styles, warnings)


def find(id: str) -> Style:
    """The style of that id (case does not matter).

    :raises ScumbleError: ``unknown_style``, with the closest ids in the hint.
    """
    styles = gallery()
    wanted = id.strip().lower()
    for style in styles:
        if style.id == wanted:
            return style
    raise _unknown(id, [style.id for style in styles])


def load(id: str) -> NDArray[np.uint8]:
    """The style's pixels, uint8 RGB (H, W, 3); transparent places are white.

    :raises ScumbleError: ``unknown_style``, ``file_unreadable`` or ``too_large``.
    """
    return load_style(find(id))


def load_style(style: Style) -> NDArray[np.uint8]:
    """Like :func:`load`, for a style already found."""
    try:
        data = style.path.read_bytes()
    except OSError:
        raise ScumbleError(
            Code.FILE_UNREADABLE, f"The picture of style {style.id} cannot be read.", _repair(style)
        ) from None
    if style.sha256 and hashlib.sha256(data).hexdigest() != style.sha256:
        raise ScumbleError(Code.FILE_UNREADABLE, f"The bundled style {style.id} is damaged.", _repair(style))
    return np.asarray(_decode(data, style), np.uint8)


def thumbnail_bytes(style: Style) -> bytes:
    """The thumbnail as a JPEG file of at most 128 px; made now, and kept, for the user's own pictures.

    :raises ScumbleError: ``file_unreadable`` or ``too_large``.
    """
    try:
        return style.thumbnail.read_bytes()
    except OSError:
        pass
    small = Image.fromarray(load_style(style))
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    data = buffer.getvalue()
    if style.source == "user":
        # Only a cache: a full disk or a read-only home must not take the style away.
        part = style.thumbnail.with_suffix(f".{os.getpid()}.part")
        try:
            style.thumbnail.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(style.thumbnail)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink()
    return data


@lru_cache(maxsize=1)
def _bundled() -> tuple[Style, ...]:
    index = BUNDLED / "index.json"
    if not index.is_file():
        return ()
    entries = json.loads(index.read_text(encoding="utf-8"))["styles"]
    return tuple(
        Style(
            e["id"],
            e["name"],
            e["description"],
            tuple(e["tags"]),
            BUNDLED / e["file"],
            BUNDLED / e["thumbnail"],
            "bundled",
            e["sha256"],
        )
        for e in entries
    )


def _user_files(warnings: list[str]) -> list[Path]:
    folder = user_folder()
    try:
        files = [f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        warnings.append(f"Your styles folder cannot be read: {error.strerror}.")
        return []
    return sorted((f for f in files if f.is_file()), key=lambda f: f.name.lower())


def _user_style(path: Path, taken: set[str]) -> Style:
    plain = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    base = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "style"
    id, number = base, 2
    while id in taken:
        id, number = f"{base}-{number}", number + 1
    taken.add(id)
    stat = path.stat()
    key = hashlib.sha256(f"{path.resolve()}|{stat.st_mtime_ns}|{stat.st_size}".encode()).hexdigest()[:24]
    cache = Path(platformdirs.user_cache_dir("scumble", appauthor=False)) / "thumbnails" / f"{key}.jpg"
    name = re.sub(r"[_\s]+", " ", path.stem).strip() or id
    return Style(id, name, "One of your own pictures.", ("own",), path, cache, "user")


@lru_cache(maxsize=512)
def _problem(path: Path, changed: int, size: int) -> str:
    """What is wrong with a user's picture, or ``""``; ``changed`` and ``size`` only renew the answer."""
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return f"it has more than {MAX_PIXELS // 1_000_000} million pixels"
            # JPEG unpacks at an eighth of its size here: enough to notice a torn file, and quick.
            picture.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
            picture.load()
    except Exception:
        return "it is not a picture that can be read"
    return ""


def _decode(data: bytes, style: Style) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ScumbleError(
                    Code.TOO_LARGE,
                    f"Style picture {style.id} has more than {MAX_PIXELS // 1_000_000} million pixels.",
                    "Save a smaller version: 1000 pixels a side are plenty for a style.",
                )
            turned = ImageOps.exif_transpose(picture)
            if turned.mode.startswith("I;16") or turned.mode == "I":
                # Pillow's own conversion clips 16-bit grey instead of scaling it.
                wide = np.asarray(turned, np.float32) / 257.0
                return Image.fromarray(np.clip(wide + 0.5, 0, 255).astype(np.uint8)).convert("RGB")
            if "A" in turned.getbands() or "transparency" in turned.info:
                layer = turned.convert("RGBA")
                white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
                return Image.alpha_composite(white, layer).convert("RGB")
            return turned.convert("RGB")
    except ScumbleError:
        raise
    except Exception:
        raise ScumbleError(
            Code.FILE_UNREADABLE, f"The picture of style {style.id} cannot be read.", _repair(style)
        ) from None


def _repair(style: Style) -> str:
    if style.source == "bundled":
        return "Install Scumble again."
    return "Save it again as PNG or JPEG in your styles folder, or take it out of there."


def _unknown(id: str, ids: list[str]) -> ScumbleError:
    wanted = id.strip().lower()
    near = difflib.get_close_matches(wanted, ids, 3, 0.45)
    near += [i for i in ids if wanted and i not in near and (wanted in i or i in wanted)][: 3 - len(near)]
    hint = f"Did you mean {' or '.join(near)}?" if near else "List them with: scumble styles"
    return ScumbleError(Code.UNKNOWN_STYLE, f"There is no style called {id[:60]!r}.", hint)
