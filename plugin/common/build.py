"""From the list of regions to a request: which pixels to fetch from the editor, and where they sit.

The editor is asked through :class:`Host`, in document coordinates only.  Pixels are passed on as they
come; all that happens here is geometry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.limits import LIMITS, Limits
from scumble.shared.messages import (
    CHANNELS,
    SAMPLE_BYTES,
    BlendStyle,
    BundledStyle,
    Bytes,
    DType,
    MaskBuffer,
    PixelBuffer,
    PixelLayout,
    PixelStyle,
    Region,
    StyleRef,
    StylizeRequest,
    TextStyle,
    Transfer,
)

from .annotation import RunSettings
from .geometry import Rect, union
from .picture_part import part_mask
from .regions import RegionEntry
from .sources import (
    EVERYTHING,
    BlendedStyle,
    GalleryStyle,
    MaskSource,
    SingleStyle,
    StyleSource,
    WordStyle,
    style_part,
    with_part,
)

#: As the backend's: its crops' edges lie on multiples of this, counted from the layer's corner.
ALIGN = 16


@dataclass(frozen=True)
class PixelFormat:
    """How the layer's pixels are stored."""

    layout: PixelLayout
    dtype: DType
    transfer: Transfer = "srgb"


class Host(Protocol):
    """The editor, as far as a request goes.  All of it may raise :class:`ScumbleError`."""

    def canvas_size(self) -> tuple[int, int]:
        """(width, height) of the document."""
        ...

    def layer_bounds(self) -> Rect:
        """Where the layer has pixels, in document coordinates; may reach beyond the canvas."""
        ...

    def pixel_format(self) -> PixelFormat:
        """What :meth:`layer_pixels` will give."""
        ...

    def layer_pixels(self, rect: Rect) -> Bytes:
        """The layer's pixels in a rectangle inside its bounds."""
        ...

    def mask_bounds(self, mask: MaskSource) -> Rect:
        """A rectangle outside which the mask is 0; an empty one if it selects nothing."""
        ...

    def mask_pixels(self, mask: MaskSource, rect: Rect) -> tuple[Bytes, DType]:
        """The mask in a rectangle inside its bounds, one sample a pixel."""
        ...

    def style_pixels(self, style: SingleStyle) -> PixelBuffer:
        """A file or a layer as a style picture; raises ``file_missing`` if it is gone."""
        ...


@dataclass(frozen=True)
class Built:
    """A request and what it was made of.

    :param rect: what was fetched of the layer, in document coordinates.
    :param skipped: ids of regions whose masks do not touch the layer.
    """

    request: StylizeRequest
    settings: RunSettings
    rect: Rect
    skipped: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Area:
    """What a request would fetch.

    :param masks: (entry, its mask's rectangle on the layer), for those that touch the layer.
    """

    rect: Rect
    masks: tuple[tuple[RegionEntry, Rect], ...]
    skipped: tuple[str, ...]


def area(host: Host, entries: Sequence[RegionEntry], margin: int | None, limits: Limits = LIMITS) -> Area:
    """The part of the layer that the enabled regions need; no pixel is fetched.

    :param margin: pixels around the masks that the engine wants to see (:func:`~.forms.margin`);
        ``None`` for the whole layer.
    :raises ScumbleError: ``empty_selection`` if there is nothing to paint, ``too_large`` if there is too
        much.
    """
    enabled = [entry for entry in entries if entry.enabled]
    if not enabled:
        raise ScumbleError(
            Code.EMPTY_SELECTION,
            "There is no region to stylize." if not entries else "All regions are switched off.",
            "Add a region from your selection." if not entries else "Switch a region on.",
        )
    if len(enabled) > limits.regions:
        raise ScumbleError(
            Code.TOO_LARGE,
            f"At most {limits.regions} regions can be painted at once, not {len(enabled)}.",
            "Switch some of them off and paint them in a second step.",
        )
    layer = host.layer_bounds()
    if layer.empty:
        raise ScumbleError(
            Code.EMPTY_SELECTION,
            "The layer is empty: there is nothing on it to repaint.",
            "Choose the layer that your picture is on.",
        )
    drawn = [(e, layer if e.mask.kind == EVERYTHING else host.mask_bounds(e.mask)) for e in enabled]
    masks = tuple((entry, rect.intersect(layer)) for entry, rect in drawn)
    touching = tuple((entry, rect) for entry, rect in masks if not rect.empty)
    if not touching:
        if all(rect.empty for _, rect in drawn):
            raise ScumbleError(
                Code.EMPTY_SELECTION,
                "The selection is empty.",
                "Select the part of the layer to stylize, or deselect all for the whole layer.",
            )
        raise ScumbleError(
            Code.EMPTY_SELECTION,
            "The selection lies where the layer has no pixels.",
            "Select a part that is painted on this layer, or choose another layer.",
        )
    box = union(rect for _, rect in touching)
    rect = layer if margin is None else box.grow(margin, ALIGN, layer)
    _check(rect, host.pixel_format(), limits)
    return Area(rect, touching, tuple(entry.id for entry, rect in masks if rect.empty))


def build(
    host: Host,
    entries: Sequence[RegionEntry],
    *,
    engine: str,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
    margin: int | None = None,
    version: str = "",
    limits: Limits = LIMITS,
) -> Built:
    """The request for the enabled regions.

    :param margin: see :func:`area`.
    :param options: of the engine, such as :meth:`~.forms.Form.options` gives.
    :param version: Scumble's, for the settings.
    :raises ScumbleError: as :func:`area`; ``unknown_style`` for a region without a style; whatever the
        host raises; ``bad_request`` if the host gives other than it was asked for.
    """
    # Before the pixels: fetching those of a large layer takes a moment.
    settings = {entry.id: entry.settings() for entry in entries if entry.enabled}
    found = area(host, entries, margin, limits)
    form, rect = host.pixel_format(), found.rect
    styles = _Styles(host)
    regions = tuple(
        Region(
            _mask(host, entry, place, rect),
            styles.ref(settings[entry.id].style),
            entry.strength,
            entry.options,
            _style_mask(settings[entry.id].style),
        )
        for entry, place in found.masks
    )
    pixels = PixelBuffer(
        rect.width, rect.height, form.layout, form.dtype, host.layer_pixels(rect), form.transfer
    )
    chosen = dict(options or {})
    request = StylizeRequest(pixels, regions, engine, chosen, seed, (rect.x, rect.y), host.canvas_size())
    run = RunSettings(engine, tuple(settings.values()), chosen, seed, version)
    return Built(request, run, rect, found.skipped)


def _style_mask(style: StyleSource) -> MaskBuffer | None:
    part = style_part(style)
    return None if part is None else part_mask(part)


def _mask(host: Host, entry: RegionEntry, place: Rect, rect: Rect) -> MaskBuffer:
    data: Bytes
    dtype: DType
    if entry.mask.kind == EVERYTHING:
        # A host that must not be away for long has it ready.
        full = getattr(host, "full_mask", None)
        data, dtype = b"\xff" * place.pixels if full is None else full(place), "u8"
    else:
        data, dtype = host.mask_pixels(entry.mask, place)
    return MaskBuffer(place.width, place.height, data, dtype, place.x - rect.x, place.y - rect.y)


def _check(rect: Rect, form: PixelFormat, limits: Limits) -> None:
    if form.layout not in CHANNELS or form.dtype not in SAMPLE_BYTES:
        return  # the buffer itself says so, in better words
    nbytes = rect.pixels * CHANNELS[form.layout] * SAMPLE_BYTES[form.dtype]
    if (
        max(rect.width, rect.height) > limits.side
        or rect.pixels > limits.pixels
        or nbytes > limits.buffer_bytes
    ):
        raise ScumbleError(
            Code.TOO_LARGE,
            f"The part to stylize is too large: {rect.width} x {rect.height} pixels.",
            f"Select a smaller part: at most {limits.side} pixels a side"
            f" and {limits.pixels // 1_000_000} megapixels.",
        )


class _Styles:
    """Turns sources into references; a picture that several regions use is fetched and sent once."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._seen: dict[SingleStyle, PixelStyle] = {}

    def ref(self, style: StyleSource) -> StyleRef:
        if isinstance(style, BlendedStyle):
            return BlendStyle(tuple((self._single(part), weight) for part, weight in style.parts))
        return self._single(style)

    def _single(self, style: SingleStyle) -> BundledStyle | TextStyle | PixelStyle:
        if isinstance(style, GalleryStyle):
            return BundledStyle(style.id)
        if isinstance(style, WordStyle):
            return TextStyle(style.prompt)
        style = with_part(style, None)  # another part of it is the same picture
        if style not in self._seen:
            self._seen[style] = PixelStyle(self.host.style_pixels(style))
        return self._seen[style]
