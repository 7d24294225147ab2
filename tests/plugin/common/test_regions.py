"""The request that is made of a list of regions, and its geometry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.backend import prepare
from scumble.backend.engines import load, registry
from scumble.backend.regions.geometry import Box, decode_mask
from scumble.plugin.common.annotation import dump, parse
from scumble.plugin.common.build import ALIGN, PixelFormat, area, build
from scumble.plugin.common.geometry import NOTHING, Rect, union
from scumble.plugin.common.regions import RegionList
from scumble.plugin.common.sources import (
    EVERYTHING,
    BlendedStyle,
    FileStyle,
    GalleryStyle,
    LayerStyle,
    MaskSource,
    WordStyle,
)
from scumble.shared.codec import message_request, request_message
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.limits import Limits
from scumble.shared.messages import BlendStyle, BundledStyle, PixelBuffer, PixelStyle, TextStyle

load()
ENGINE = registry.engine("partial-conv")
MARGIN = 32
COORDINATE, SIDE = st.integers(-120, 120), st.integers(1, 150)
RECT = st.builds(Rect, COORDINATE, COORDINATE, SIDE, SIDE)
ANY_RECT = st.builds(Rect, COORDINATE, COORDINATE, st.integers(-3, 150), st.integers(-3, 150))


@st.composite
def touching(draw: st.DrawFn) -> tuple[Rect, Rect]:
    """A layer and a mask that have at least one pixel in common."""
    layer = draw(RECT)
    x, y = draw(st.integers(layer.x, layer.right - 1)), draw(st.integers(layer.y, layer.bottom - 1))
    width, height = draw(SIDE), draw(SIDE)
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return layer, Rect(x - left, y - top, width, height)


class Document:
    """An editor with one layer, whose pixels tell where they are, and masks that do, too."""

    def __init__(self, bounds: Rect, masks: dict[str, Rect], canvas: tuple[int, int] = (100, 80)) -> None:
        self.bounds, self.masks, self.canvas = bounds, masks, canvas
        self.asked: list[Rect] = []
        self.loaded: list[Any] = []

    def canvas_size(self) -> tuple[int, int]:
        return self.canvas

    def layer_bounds(self) -> Rect:
        return self.bounds

    def pixel_format(self) -> PixelFormat:
        return PixelFormat("rgba", "u8")

    @staticmethod
    def pixels(rect: Rect) -> np.ndarray[Any, Any]:
        ys, xs = np.mgrid[rect.y : rect.bottom, rect.x : rect.right]
        return np.stack([xs % 256, ys % 256, (xs + 3 * ys) % 256, np.full_like(xs, 255)], -1).astype(np.uint8)

    def layer_pixels(self, rect: Rect) -> bytes:
        assert self.bounds.contains(rect) and not rect.empty
        self.asked.append(rect)
        return self.pixels(rect).tobytes()

    def mask_bounds(self, mask: MaskSource) -> Rect:
        return self.masks[mask.ref]

    def mask_pixels(self, mask: MaskSource, rect: Rect) -> tuple[bytes, Any]:
        assert self.masks[mask.ref].contains(rect) and not rect.empty
        ys, xs = np.mgrid[rect.y : rect.bottom, rect.x : rect.right]
        return (1 + (5 * xs + 7 * ys) % 255).astype(np.uint8).tobytes(), "u8"

    def style_pixels(self, style: Any) -> PixelBuffer:
        self.loaded.append(style)
        if style == FileStyle("/gone.png"):
            raise ScumbleError(Code.FILE_MISSING, "The style file is gone.", "Choose another.")
        return PixelBuffer(40, 40, "rgb", "u8", bytes(4800))


def regions(*names: str, **more: Any) -> RegionList:
    listed = RegionList()
    for name in names:
        listed.add(MaskSource("saved", name), FileStyle("/style.png"), **more)
    return listed


# -- rectangles ----------------------------------------------------------------------------------------


@given(ANY_RECT, ANY_RECT)
def test_rectangles_are_joined_and_cut_as_the_backend_does_it(a: Rect, b: Rect) -> None:
    def box(rect: Rect) -> Box:
        return Box(rect.x, rect.y, rect.right, rect.bottom)

    cut, whole = a.intersect(b), a.union(b)
    assert cut.empty == box(a).intersect(box(b)).empty
    if not cut.empty:
        assert box(cut) == box(a).intersect(box(b)) and a.contains(cut) and b.contains(cut)
    assert whole.empty == (a.empty and b.empty)
    if not whole.empty:
        assert box(whole) == box(a).union(box(b)) and whole.contains(a) and whole.contains(b)
    assert union([a, b, NOTHING]) == whole


@given(touching(), st.integers(0, 60))
def test_growing_covers_the_margin_stays_inside_and_keeps_to_the_backends_grid(
    pair: tuple[Rect, Rect], margin: int
) -> None:
    layer, mask = pair
    inner = mask.intersect(layer)
    grown = inner.grow(margin, ALIGN, layer)
    wanted = Rect(
        inner.x - margin, inner.y - margin, inner.width + 2 * margin, inner.height + 2 * margin
    ).intersect(layer)
    assert layer.contains(grown) and grown.contains(wanted)
    there = inner.moved(-layer.x, -layer.y)
    box = Box(there.x, there.y, there.right, there.bottom).grow(margin, ALIGN, layer.width, layer.height)
    assert grown.moved(-layer.x, -layer.y) == Rect(box.left, box.top, box.width, box.height)


def test_the_grid_is_the_backends() -> None:
    assert prepare.ALIGN == ALIGN


# -- requests ------------------------------------------------------------------------------------------


@given(RECT, st.lists(RECT, min_size=1, max_size=3), st.sampled_from([0, 8, 32, 1 << 20, None]))
def test_every_pixel_and_every_mask_value_arrives_where_it_belongs(
    layer: Rect, masks: list[Rect], margin: int | None
) -> None:
    host = Document(layer, {str(n): rect for n, rect in enumerate(masks)})
    listed = regions(*host.masks)
    on_layer = [rect.intersect(layer) for rect in masks]
    if all(rect.empty for rect in on_layer):
        with pytest.raises(ScumbleError) as caught:
            build(host, listed.snapshot(), engine="partial-conv", margin=margin)
        assert caught.value.code is Code.EMPTY_SELECTION and host.asked == []
        return
    built = build(host, listed.snapshot(), engine="partial-conv", margin=margin)
    asked, rect = built.request, built.rect
    assert host.asked == [rect] and asked.origin == (rect.x, rect.y) and asked.canvas == (100, 80)
    if margin is None:
        assert rect == layer
    assert bytes(asked.layer.data) == Document.pixels(rect).tobytes()
    touching = [place for place in on_layer if not place.empty]
    assert len(asked.regions) == len(touching)
    assert len(built.skipped) == len(masks) - len(touching)
    for region, place in zip(asked.regions, touching):
        mask = region.mask
        assert (mask.x + asked.origin[0], mask.y + asked.origin[1]) == (place.x, place.y)
        values = decode_mask(mask, rect.width, rect.height, Box(0, 0, rect.width, rect.height))
        ys, xs = np.mgrid[rect.y : rect.bottom, rect.x : rect.right]
        inside = (xs >= place.x) & (xs < place.right) & (ys >= place.y) & (ys < place.bottom)
        assert np.array_equal(np.rint(values * 255), np.where(inside, 1 + (5 * xs + 7 * ys) % 255, 0))


@given(touching(), st.lists(RECT, max_size=1), st.sampled_from([{}, {"method": "style-then-mask"}]))
def test_the_backend_computes_on_the_same_pixels_as_if_it_had_the_whole_layer(
    pair: tuple[Rect, Rect], more: list[Rect], options: dict[str, Any]
) -> None:
    layer, masks = pair[0], [pair[1], *more]
    host = Document(layer, {str(n): rect for n, rect in enumerate(masks)})
    defaults = {o.name: o.default for o in ENGINE.options}
    margin = ENGINE.margin({**defaults, **options})
    crops = []
    for wanted in (margin, None):
        built = build(
            host, regions(*host.masks).snapshot(), engine="partial-conv", options=options, margin=wanted
        )
        plan = prepare.plan(built.request, ENGINE)
        job = prepare.job(built.request, plan)
        x, y = built.request.origin
        place = (plan.crop.left + x, plan.crop.top + y, plan.crop.width, plan.crop.height)
        crops.append((place, job.key, [region.mask.numpy().tobytes() for region in job.regions]))
    assert crops[0] == crops[1]


def test_only_the_surroundings_of_the_selection_are_fetched() -> None:
    host = Document(Rect(0, 0, 4000, 3000), {"m": Rect(1000, 900, 100, 50)}, (4000, 3000))
    built = build(host, regions("m").snapshot(), engine="partial-conv", margin=MARGIN)
    assert built.rect == Rect(960, 864, 176, 128)


def test_a_selection_that_moves_a_little_fetches_the_same_pixels() -> None:
    rects = {
        area(Document(Rect(-7, -9, 999, 999), {"m": Rect(x, 300, 100, 50)}), regions("m").snapshot(), 32).rect
        for x in range(300, 306)
    }
    assert len(rects) == 1


def test_a_mask_may_reach_beyond_canvas_and_layer() -> None:
    host = Document(Rect(-50, 10, 80, 60), {"m": Rect(-500, -500, 2000, 2000)})
    built = build(host, regions("m").snapshot(), engine="partial-conv", margin=MARGIN)
    assert built.rect == host.bounds and built.request.origin == (-50, 10)


def test_without_a_selection_the_whole_layer_is_painted() -> None:
    host = Document(Rect(5, -6, 30, 20), {})
    listed = RegionList()
    listed.add(MaskSource(EVERYTHING), GalleryStyle("waves"))
    mask = build(host, listed.snapshot(), engine="partial-conv", margin=MARGIN).request.regions[0].mask
    assert (mask.width, mask.height, mask.x, mask.y) == (30, 20, 0, 0) and set(mask.data) == {255}


def test_regions_that_are_off_or_beside_the_layer_are_left_out_and_named() -> None:
    host = Document(
        Rect(0, 0, 50, 50), {"a": Rect(0, 0, 9, 9), "b": Rect(90, 90, 9, 9), "c": Rect(5, 5, 9, 9)}
    )
    listed = regions("a", "b", "c")
    a, b, c = listed.snapshot()
    listed.change(c.id, enabled=False)
    built = build(host, listed.snapshot(), engine="partial-conv", margin=MARGIN)
    assert built.skipped == (b.id,) and len(built.request.regions) == 1
    assert len(built.settings.regions) == 2, "what is remembered is what the user had switched on"
    assert a.id not in built.skipped


@pytest.mark.parametrize(
    ("layer", "mask", "enabled", "words"),
    [
        (Rect(0, 0, 0, 0), Rect(0, 0, 9, 9), True, "layer is empty"),
        (Rect(0, 0, 9, 9), NOTHING, True, "selection is empty"),
        (Rect(0, 0, 9, 9), Rect(20, 20, 9, 9), True, "no pixels"),
        (Rect(0, 0, 9, 9), Rect(0, 0, 9, 9), False, "switched off"),
    ],
)
def test_nothing_to_paint_is_said_before_any_pixel_is_fetched(
    layer: Rect, mask: Rect, enabled: bool, words: str
) -> None:
    host = Document(layer, {"m": mask})
    listed = regions("m")
    listed.change(listed.snapshot()[0].id, enabled=enabled)
    with pytest.raises(ScumbleError, match=words) as caught:
        build(host, listed.snapshot(), engine="partial-conv", margin=MARGIN)
    assert caught.value.code is Code.EMPTY_SELECTION and caught.value.hint and host.asked == []


def test_too_much_is_said_before_any_pixel_is_fetched() -> None:
    host = Document(Rect(0, 0, 20_000, 20_000), {"m": Rect(0, 0, 20_000, 20_000)})
    with pytest.raises(ScumbleError, match="20000 x 20000") as caught:
        build(host, regions("m").snapshot(), engine="partial-conv", margin=MARGIN)
    assert caught.value.code is Code.TOO_LARGE and host.asked == []
    small = build(
        Document(Rect(0, 0, 20_000, 20_000), {"m": Rect(9_000, 9_000, 50, 50)}),
        regions("m").snapshot(),
        engine="partial-conv",
        margin=MARGIN,
    )
    assert small.rect.pixels < 30_000, "a small selection on a huge canvas is no problem"


def test_too_many_regions_are_refused() -> None:
    listed = regions("m", "m", "m")
    with pytest.raises(ScumbleError, match="At most 2") as caught:
        area(Document(Rect(0, 0, 9, 9), {"m": Rect(0, 0, 9, 9)}), listed.snapshot(), 8, Limits(regions=2))
    assert caught.value.code is Code.TOO_LARGE
    with pytest.raises(ScumbleError):
        for _ in range(99):
            listed.add()


def test_every_kind_of_style_is_turned_into_a_reference() -> None:
    host = Document(Rect(0, 0, 60, 60), {"m": Rect(0, 0, 20, 20)})
    file, layer = FileStyle("/style.png"), LayerStyle("l7")
    blend = BlendedStyle(((file, 2.0), (layer, 1.0), (GalleryStyle("waves"), 1.0), (WordStyle("rust"), 0.5)))
    listed = RegionList()
    for style in (file, layer, GalleryStyle("waves"), WordStyle("rust"), blend):
        listed.add(MaskSource("saved", "m"), style, strength=0.5, options={"texture": 0.2})
    built = build(host, listed.snapshot(), engine="partial-conv", options={"detail": 0.1}, seed=3, margin=8)
    styles = [region.style for region in built.request.regions]
    assert isinstance(styles[0], PixelStyle) and isinstance(styles[1], PixelStyle)
    assert styles[2:4] == [BundledStyle("waves"), TextStyle("rust")]
    assert styles[4] == BlendStyle(
        ((styles[0], 2.0), (styles[1], 1.0), (BundledStyle("waves"), 1.0), (TextStyle("rust"), 0.5))
    )
    assert host.loaded == [file, layer], "a picture that is used twice is loaded once"
    message = request_message(built.request, "j")
    assert [buffer.role for buffer in message.buffers].count("style") == 2, "and sent once"
    assert message_request(message).regions[4].strength == 0.5
    assert built.settings.options == {"detail": 0.1} and built.settings.seed == 3
    assert built.settings.regions[4].style == blend and built.settings.regions[0].options == {"texture": 0.2}


def test_a_style_file_that_is_gone_says_so() -> None:
    listed = RegionList()
    listed.add(MaskSource("saved", "m"), FileStyle("/gone.png"))
    with pytest.raises(ScumbleError, match="gone") as caught:
        build(Document(Rect(0, 0, 9, 9), {"m": Rect(0, 0, 9, 9)}), listed.snapshot(), engine="e", margin=8)
    assert caught.value.code is Code.FILE_MISSING


def test_a_region_without_a_style_says_so_unless_it_is_off() -> None:
    host = Document(Rect(0, 0, 9, 9), {"m": Rect(0, 0, 9, 9)})
    listed = regions("m")
    bare = listed.add(MaskSource("saved", "m"), label="sky")
    with pytest.raises(ScumbleError, match="'sky' has no style") as caught:
        build(host, listed.snapshot(), engine="e", margin=8)
    assert caught.value.code is Code.UNKNOWN_STYLE and host.asked == []
    listed.change(bare.id, enabled=False)
    assert len(build(host, listed.snapshot(), engine="e", margin=8).request.regions) == 1


def test_a_host_that_gives_too_few_bytes_is_found_out() -> None:
    class Short(Document):
        def layer_pixels(self, rect: Rect) -> bytes:
            return super().layer_pixels(rect)[:-1]

    with pytest.raises(ScumbleError, match="bytes"):
        build(Short(Rect(0, 0, 9, 9), {"m": Rect(0, 0, 9, 9)}), regions("m").snapshot(), engine="e", margin=8)


def test_settings_of_a_run_run_again_through_the_layers_annotation() -> None:
    host = Document(Rect(0, 0, 60, 60), {"m": Rect(3, 4, 20, 20)})
    first = build(host, regions("m", strength=0.25).snapshot(), engine="partial-conv", seed=9, margin=MARGIN)
    kept = parse(dump(first.settings)).settings
    assert kept is not None
    again = build(
        host,
        RegionList.of(kept).snapshot(),
        engine=kept.engine,
        options=kept.options,
        seed=kept.seed,
        margin=MARGIN,
    )
    assert again.request == first.request and again.settings == first.settings
