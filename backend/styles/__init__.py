"""The style gallery: pictures that ship with Scumble and the user's own beside them.

``gallery()`` lists them, ``find(id)`` gives one, ``load(id)`` its pixels; ``python -m
scumble.backend.styles.paint`` paints the bundled ones.
"""

from __future__ import annotations

from .gallery_index import Gallery, Style, find, gallery, load, load_style, thumbnail_bytes, user_folder

__all__ = ["Gallery", "Style", "find", "gallery", "load", "load_style", "thumbnail_bytes", "user_folder"]
