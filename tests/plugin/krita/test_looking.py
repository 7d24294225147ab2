"""What the host sees of documents: layers, masks, styles, thumbnails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import other_qt
import pytest
from fake_krita import PAD, Node, Selection, _Node, paint
from hypothesis import given
from hypothesis import strategies as st
from PyQt5.QtGui import QImage

from scumble.plugin.common.geometry import Rect
from scumble.plugin.common.sources import (
    CURRENT,
    EVERYTHING,
    LAYER_ALPHA,
    SAVED,
    SELECTION_MASK,
    TRANSPARENCY_MASK,
    FileStyle,
    LayerStyle,
    MaskSource,
)
from scumble.plugin.krita.host import keeping
from scumble.plugin.krita.host.colour import Space
from scumble.plugin.krita.host.masks import Kept
from scumble.plugin.krita.host.pictures import of_pixels
from scumble.plugin.krita.turns import at_once
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import PixelBuffer


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 12), st.integers(1, 12), st.data())
def test_a_part_of_a_kept_mask_is_that_part(x: int, y: int, width: int, height: int, data: Any) -> None:
    values = np.arange(width * height, dtype=np.uint8).reshape(height, width)
    kept = Kept.of(Rect(x, y, width, height), values.tobytes())
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    wide, high = data.draw(st.integers(1, width - left)), data.draw(st.integers(1, height - top))
    part = at_once(kept.part(Rect(x + left, y + top, wide, high)))
    assert bytes(part) == values[top : top + high, left : left + wide].tobytes()


def test_masks_of_all_kinds_are_offered_and_read(krita: Any, host: Any) -> None:
    document = krita.open(32, 24)
    layer = document.rootNode().childNodes()[0]
    sky = Node(_Node(krita.active, "sky", "selectionmask"))
    sky._n.selected = Selection()
    sky._n.selected.select(2, 3, 8, 6, 200)
    veil = Node(_Node(krita.active, "veil", "transparencymask"))
    veil._n.frames[0][PAD + 4 : PAD + 9, PAD + 4 : PAD + 12] = 90
    for mask in (sky, veil, document.createNode("scripted", "transparencymask")):
        layer.addChildNode(mask, None)
    krita.events()
    document.setActiveNode(layer)
    choices = host.mask_choices()
    found = {choice.label: choice for choice in choices}
    assert found["Current selection"].problem and not found["Whole layer"].problem
    assert found["sky"].source.kind == SELECTION_MASK and found["sky"].group == "Selection masks"
    assert found["veil of Background"].source.kind == TRANSPARENCY_MASK
    assert found["scripted of Background"].problem, "Krita 5.1 does not hand it out"
    assert found["Background"].source.kind == LAYER_ALPHA
    source = host.source()
    for label, rect, value in (
        ("sky", Rect(2, 3, 8, 6), 200),
        ("veil of Background", Rect(4, 4, 8, 5), 90),
    ):
        mask = found[label].source
        assert source.mask_bounds(mask) == rect
        data, dtype = source.mask_pixels(mask, rect)
        assert set(bytes(data)) == {value} and dtype == "u8"
    with pytest.raises(ScumbleError) as caught:
        source.mask_pixels(found["scripted of Background"].source, Rect(0, 0, 2, 2))
    assert caught.value.code is Code.UNSUPPORTED_FORMAT and caught.value.hint


@pytest.mark.parametrize(
    ("model", "depth"), [("RGBA", "U16"), ("RGBA", "F32"), ("GRAYA", "F16"), ("CMYKA", "U8")]
)
def test_a_layers_alpha_comes_in_its_own_sample_type(krita: Any, host: Any, model: str, depth: str) -> None:
    document = krita.open(16, 12, model, depth)
    node = krita.active.root.children[0]
    top = 1 if depth[0] == "F" else np.iinfo(node.now().dtype).max
    alpha = (np.linspace(0, 1, 16 * 12).reshape(12, 16) * top).astype(node.now().dtype)
    node.now()[PAD : PAD + 12, PAD : PAD + 16, -1] = alpha
    mask = MaskSource(LAYER_ALPHA, document.activeNode().uniqueId().toString())
    data, dtype = host.source().mask_pixels(mask, Rect(0, 0, 16, 12))
    assert dtype == depth.lower() and bytes(data) == alpha.tobytes()


def test_a_kept_selection_survives_its_change(krita: Any, host: Any) -> None:
    document = krita.open()
    selection = Selection()
    selection.select(3, 4, 7, 5, 128)
    document.setSelection(selection)
    kept = host.keep(CURRENT)
    document.setSelection(None)
    assert kept.kind == SAVED and host.keep(kept) == kept, "the same mask has the same name"
    data, _ = host.source().mask_pixels(kept, Rect(4, 5, 2, 2))
    assert bytes(data) == bytes([128] * 4)
    assert host.default_mask() == MaskSource(EVERYTHING)


def test_masks_in_annotations_of_strangers_are_checked(krita: Any) -> None:
    document = krita.open()
    mask = Kept.of(Rect(-3, 2, 5, 4), bytes(range(20)))
    keeping.write_mask(document, "good", mask)
    found = at_once(keeping.read_mask(document, "good"))
    assert found is not None and found.rect == mask.rect and bytes(found.rows()) == bytes(range(20))
    raw = bytes(document.annotation("scumble-mask/good"))
    for name, damage in (("short", raw[:10]), ("cut", raw[:-3]), ("other", b"XXXX" + raw[4:]), ("none", b"")):
        document.setAnnotation(f"scumble-mask/{name}", "", damage)
        assert at_once(keeping.read_mask(document, name)) is None
    huge = raw[:12] + (2**31).to_bytes(4, "little") * 2 + raw[20:]
    document.setAnnotation("scumble-mask/huge", "", huge)
    assert at_once(keeping.read_mask(document, "huge")) is None


def test_layers_of_all_documents_may_be_styles(krita: Any, host: Any) -> None:
    krita.open(20, 10, name="style", depth="U16")
    style_pixels = krita.active.root.children[0].now()[PAD : PAD + 10, PAD : PAD + 20].copy()
    krita.open(name="picture")
    choices = host.layer_choices()
    assert [(c.label, c.document) for c in choices] == [("Background", "picture"), ("Background", "style")]
    assert choices[0].style.document == "" and choices[1].style.document
    pixels = host.style_pixels(choices[1].style)
    assert (pixels.width, pixels.height, pixels.layout, pixels.dtype) == (20, 10, "bgra", "u16")
    assert bytes(pixels.data) == style_pixels.tobytes()
    assert host.style_thumbnail(choices[1].style, 8, 8).width() == 8
    assert host.style_thumbnail(LayerStyle("{gone}"), 8, 8) is None


def test_a_picture_file_is_read_no_larger_than_strokes_need(host: Any, tmp_path: Path) -> None:
    file = tmp_path / "wide.png"
    image = QImage(3000, 30, QImage.Format.Format_RGB32)
    image.fill(0xFF3366CC)
    assert image.save(str(file))
    pixels = host.style_pixels(FileStyle(str(file)))
    assert (pixels.width, pixels.height, pixels.layout) == (2048, 20, "rgba")
    assert bytes(pixels.data[:4]) == bytes([0x33, 0x66, 0xCC, 0xFF])
    assert host.style_thumbnail(FileStyle(str(file)), 100, 100).width() == 100


@pytest.mark.parametrize(
    ("space", "words", "nearest"),
    [
        (Space("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc"), ("bgra", "u8", "srgb"), None),
        (Space("RGBA", "U16", "sRGB-elle-V2-g10.icc"), ("bgra", "u16", "linear"), None),
        (Space("RGBA", "F16", "scRGB (linear)"), ("rgba", "f16", "linear"), None),
        (Space("GRAYA", "U8", "Gray-D50-elle-V2-g10.icc"), ("graya", "u8", "linear"), None),
        (Space("CMYKA", "U16", "x"), None, ("RGBA", "U16")),
        (Space("XYZA", "F32", "x"), None, ("RGBA", "F32")),
        (
            Space("RGBA", "F32", "High Dynamic Range UHDTV (Rec. 2020) - SMPTE ST 2084 PQ EOTF"),
            None,
            ("RGBA", "F32"),
        ),
    ],
)
def test_spaces_are_understood_or_changed_with_no_fewer_bits(space: Space, words: Any, nearest: Any) -> None:
    form = space.format
    assert (None if form is None else (form.layout, form.dtype, form.transfer)) == words
    if nearest is not None:
        assert (space.nearest.model, space.nearest.depth) == nearest and space.nearest.format is not None


@pytest.mark.parametrize(
    ("layout", "dtype"), [("bgra", "u8"), ("rgba", "f32"), ("graya", "f16"), ("bgra", "u16")]
)
def test_thumbnails_of_all_kinds_have_the_right_colours(layout: Any, dtype: Any) -> None:
    kinds = {"u8": (np.uint8, 255), "u16": (np.uint16, 65535), "f16": (np.float16, 1), "f32": (np.float32, 1)}
    kind, top = kinds[dtype]
    pixel = [1.0, 1.0] if layout == "graya" else ([0, 0, 1.0, 1.0] if layout == "bgra" else [1.0, 0, 0, 1.0])
    data = np.tile((np.array(pixel) * top).astype(kind), (40, 80, 1))
    image = of_pixels(PixelBuffer(80, 40, layout, dtype, data.tobytes()), 32, 32)
    assert (image.width(), image.height()) == (32, 16)
    assert image.pixel(5, 5) == (0xFFFFFFFF if layout == "graya" else 0xFFFF0000)


def test_a_regions_picture_is_tinted_where_it_is(krita: Any, host: Any) -> None:
    document = krita.open(64, 48)
    selection = Selection()
    selection.select(0, 0, 32, 48, 255)
    document.setSelection(selection)
    image = host.mask_thumbnail(host.keep(CURRENT), 32, 32)
    assert (image.width(), image.height()) == (32, 24)
    assert image.pixel(4, 12) == image.pixel(12, 20) != image.pixel(28, 12) == image.pixel(20, 4)


def test_looking_twice_gives_the_same_until_something_changes(krita: Any, host: Any) -> None:
    assert host.look() == host.look(), "also without a document"
    document = krita.open()
    first = host.look()
    assert host.look() == first and first.info.colour == "RGB, 8-bit"
    selection = Selection()
    selection.select(1, 1, 4, 4, 255)
    document.setSelection(selection)
    assert host.look() != first
    mark = host.selection_mark()
    selection.select(1, 1, 4, 4, 254)
    assert host.selection_mark() != mark, "the same bounds, another softness"
    other = document.createNode("other", "paintlayer")
    document.rootNode().addChildNode(other, None)
    paint(other, 0, 0, 4, 4)
    krita.events()
    assert host.look().info.layer == "other"


def test_these_tests_run_with_the_qt_that_they_say() -> None:
    from scumble.plugin.krita.qt import QT

    assert other_qt.choose() == QT
    assert QImage.__module__ == f"PyQt{QT}.QtGui"
