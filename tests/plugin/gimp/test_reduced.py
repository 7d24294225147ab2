"""Documents made small for previews."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scumble.plugin.common.build import PixelFormat, build
from scumble.plugin.common.forms import Form
from scumble.plugin.common.geometry import NOTHING, Rect
from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import EVERYTHING, GalleryStyle, MaskSource, SingleStyle
from scumble.plugin.gimp import reduced
from scumble.shared.messages import DType, PixelBuffer


class Format:
    gives = "rgba"


class Page:
    """A document with one layer and one selection."""

    format = Format()

    def __init__(self, layer: Rect, selection: Rect) -> None:
        self.layer, self.selection = layer, selection
        self.fetched = 0

    def canvas_size(self) -> tuple[int, int]:
        return 400, 300

    def layer_bounds(self) -> Rect:
        return self.layer

    def pixel_format(self) -> PixelFormat:
        return PixelFormat("rgba", "f32", "linear")

    def layer_reduced(self, rect: Rect, scale: float) -> bytes:
        self.fetched += 1
        return bytes(rect.pixels * 4)

    def mask_bounds(self, mask: MaskSource) -> Rect:
        return self.selection

    def mask_reduced(self, mask: MaskSource, rect: Rect, scale: float) -> tuple[bytes, DType]:
        return b"\xff" * rect.pixels, "u8"

    def style_pixels(self, style: SingleStyle) -> PixelBuffer:
        return PixelBuffer(1, 1, "rgba", "u8", bytes(4))


rects = st.builds(
    Rect, st.integers(-300, 600), st.integers(-300, 600), st.integers(1, 900), st.integers(1, 900)
)


@given(rects, rects, st.integers(16, 400), st.booleans())
def test_a_preview_fits_its_place_and_is_a_request_like_any_other(
    layer: Rect, selection: Rect, side: int, everything: bool
) -> None:
    if not everything and layer.intersect(selection).empty:
        return
    mask = MaskSource(EVERYTHING) if everything else MaskSource()
    page = Page(layer, selection)
    entries = [RegionEntry("r1", mask, GalleryStyle("s"))]
    host = reduced.Reduced(page, entries, side)
    assert max(host.rect.width, host.rect.height) <= side + 2
    assert layer.contains(host.shown)
    built = build(host, entries, engine="e")
    assert built.request.layer.layout == "rgba" and built.request.layer.dtype == "u8"
    assert built.rect == host.rect
    region = built.request.regions[0].mask
    assert region.x + region.width <= host.rect.width and region.y + region.height <= host.rect.height


def test_the_layer_is_fetched_once_however_often_styles_change() -> None:
    page = Page(Rect(0, 0, 400, 300), Rect(50, 50, 100, 100))
    entries = [RegionEntry("r1", MaskSource(), GalleryStyle("s"))]
    host = reduced.Reduced(page, entries, 200)
    for _ in range(3):
        build(host, entries, engine="e")
    assert page.fetched == 1


def test_some_of_what_is_around_the_selection_is_shown() -> None:
    layer = Rect(0, 0, 400, 300)
    assert reduced.around([Rect(100, 100, 100, 50)], layer) == Rect(85, 85, 130, 80)
    assert reduced.around([Rect(0, 0, 400, 300)], layer) == layer
    assert reduced.around([NOTHING], layer) == layer


@given(rects, st.floats(0.05, 1.0))
def test_a_shrunk_rectangle_covers_all_of_its_pixels(rect: Rect, scale: float) -> None:
    small = reduced.shrunk(rect, scale)
    assert small.width >= 1 and small.height >= 1
    assert small.x <= rect.x * scale and rect.right * scale <= small.right
    assert small.width <= rect.width * scale + 2 and small.height <= rect.height * scale + 2


def test_lengths_and_strokes_shrink_with_the_picture() -> None:
    def option(name: str, unit: str, default: float, minimum: float) -> dict[str, object]:
        return {
            "name": name,
            "label": name,
            "kind": "float",
            "default": default,
            "minimum": minimum,
            "maximum": 200.0,
            "unit": unit,
        }

    form = Form.parse(
        {
            "name": "e",
            "options": [
                option("feather", "px", 0.0, 0.0),
                option("style_scale", "x", 1.0, 0.25),
                option("texture", "", 0.5, 0.0),
            ],
        }
    )
    found = reduced.options(form, {"feather": 20.0, "texture": 0.9}, 0.5)
    assert found == {"feather": 10.0, "style_scale": 0.5, "texture": 0.9}
    assert reduced.options(form, {}, 0.1)["style_scale"] == 0.25, "as small as the engine takes it"
